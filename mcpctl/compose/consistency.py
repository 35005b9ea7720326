"""Checks across keys and services, on the normalised tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose.faults import Path, TreeFault
from mcpctl.compose.trees import is_list, list_at, table_at
from mcpctl.compose.units import float32, parse_bytes

if TYPE_CHECKING:
    pass

Services = dict[str, Any]


def check_resources(tree: dict[str, Any]) -> None:
    """Raise TreeFault for a volume, secret or config that contradicts itself."""
    for key in table_at(tree, "volumes"):
        volume = table_at(tree, "volumes", key)
        extra = [name for name in volume if name not in ("name", "external") and not name.startswith("x-")]
        if volume.get("external") is True and extra:
            path: Path = ("volumes", key, extra[0])
            raise TreeFault(path, f"volumes.{key} is external: {extra[0]} cannot be set here")
    for section, kinds in (
        ("configs", ("file", "environment", "content")),
        ("secrets", ("file", "environment")),
    ):
        for key, item in table_at(tree, section).items():
            _check_file_object(section, key, item, kinds)


def _check_file_object(section: str, key: str, item: dict[str, Any], kinds: tuple[str, ...]) -> None:
    given = [kind for kind in kinds if kind in item]
    if len(given) > 1:
        raise TreeFault((section, key), f"{section}.{key} has both {given[0]} and {given[1]}: keep one")
    if not given and "external" not in item:
        raise TreeFault((section, key), f"{section}.{key} needs one of {', '.join(kinds)} or external: true")


def check_services(tree: dict[str, Any], enabled: Services, disabled: Services) -> None:
    """Raise TreeFault for a service that refers to nothing or contradicts itself."""
    for name, service in enabled.items():
        _check_image(name, service, enabled)
        _check_networks(name, service, tree, enabled)
        _check_references(name, service, tree)
        _check_healthcheck(name, service)
        _check_doubles(name, service)
        _check_dependencies(name, service, enabled, disabled)
        _check_watch(name, service)
    _check_cycles(enabled)


def _check_image(name: str, service: dict[str, Any], enabled: Services) -> None:
    build: dict[str, Any] | None = service.get("build")
    path: Path = ("services", name)
    if build is None:
        if not service.get("image"):
            raise TreeFault(
                path, f"service {name} has neither image nor build", hint="add image: NAME or build: ."
            )
        return
    if not build.get("context"):
        raise TreeFault(
            (*path, "build"), f"the build of service {name} has an empty context", hint="write build: ."
        )
    platforms, platform = build.get("platforms"), service.get("platform")
    if platforms and platform and platform not in platforms:
        raise TreeFault(
            (*path, "build", "platforms"), f"build.platforms of {name} lacks its platform {platform}"
        )
    contexts = table_at(build, "additional_contexts")
    for key, context in contexts.items():
        other = context.removeprefix("service:")
        if other != context and not table_at(enabled, other, "build"):
            at = (*path, "build", "additional_contexts", key)
            raise TreeFault(
                at, f"service {name} takes its context {key} from {other}, which is not built here"
            )


def _check_networks(name: str, service: dict[str, Any], tree: dict[str, Any], enabled: Services) -> None:
    path: Path = ("services", name)
    mode: str = service.get("network_mode") or ""
    networks = table_at(service, "networks")
    if mode and networks:
        raise TreeFault(
            (*path, "network_mode"), f"service {name} has both network_mode and networks: keep one"
        )
    known = table_at(tree, "networks")
    for key in networks:
        if key not in known:
            raise _undefined((*path, "networks", key), name, "network", key)
    shared = mode.removeprefix("service:")
    if shared != mode and shared not in enabled:
        raise TreeFault(
            (*path, "network_mode"), f"service {name} shares the network of {shared}, which is not there"
        )


def _check_references(name: str, service: dict[str, Any], tree: dict[str, Any]) -> None:
    path: Path = ("services", name)
    volumes = table_at(tree, "volumes")
    for index, mount in enumerate(list_at(service, "volumes")):
        source = mount.get("source")
        if mount.get("type") == "volume" and source and source not in volumes:
            raise _undefined((*path, "volumes", index), name, "volume", source)
    build = table_at(service, "build")
    for keys, holder, kind in ((("build", "secrets"), build, "secret"), (("configs",), service, "config")):
        _check_uses(name, (*path, *keys), holder.get(keys[-1]), kind, tree)
    _check_uses(name, (*path, "secrets"), service.get("secrets"), "secret", tree)


def _check_uses(name: str, path: Path, uses: list[Any] | None, kind: str, tree: dict[str, Any]) -> None:
    known = table_at(tree, f"{kind}s")
    for index, use in enumerate(uses or ()):
        if use.get("source", "") not in known:
            raise _undefined((*path, index), name, kind, str(use.get("source", "")))


def _undefined(path: Path, service: str, kind: str, key: str) -> TreeFault:
    return TreeFault(
        path,
        f"service {service} refers to the {kind} {key}, which is not defined",
        hint=f"add {key} under the top-level key {kind}s",
        details={"service": service, kind: key},
    )


def _check_healthcheck(name: str, service: dict[str, Any]) -> None:
    check = table_at(service, "healthcheck")
    test: Any = check.get("test")
    path: Path = ("services", name, "healthcheck")
    if is_list(test) and test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise TreeFault((*path, "test"), f"the healthcheck of {name} must start with CMD, CMD-SHELL or NONE")


def _check_doubles(name: str, service: dict[str, Any]) -> None:
    """Refuse a limit that the short key and ``deploy`` set to different values."""
    deploy = table_at(service, "deploy")
    resources = table_at(deploy, "resources")
    scale, replicas = service.get("scale"), deploy.get("replicas")
    if scale is not None and replicas is not None and int(scale) != int(replicas):
        raise _differ(name, "scale", "deploy.replicas")
    for key, section, name_below in (
        ("cpus", "limits", "cpus"),
        ("mem_limit", "limits", "memory"),
        ("pids_limit", "limits", "pids"),
        ("mem_reservation", "reservations", "memory"),
    ):
        limits: dict[str, Any] | None = resources.get(section)
        short = _amount(key, service.get(key))
        if limits is not None and short and short != _amount(key, limits.get(name_below)):
            raise _differ(name, key, f"deploy.resources.{section}.{name_below}")
    count = scale if scale is not None else replicas if replicas is not None else 1
    if int(count) > 1 and service.get("container_name"):
        path: Path = ("services", name, "container_name")
        raise TreeFault(
            path, f"service {name} has container_name and {count} replicas: the name can be used once"
        )


def _amount(key: str, value: Any) -> float:
    try:
        if key == "cpus":
            return float32(float(value or 0))
        return parse_bytes(value) if isinstance(value, str) else value or 0
    except ValueError:
        # The stage that writes the model out reports the bad value with its reason.
        return 0


def _differ(name: str, short: str, long: str) -> TreeFault:
    path: Path = ("services", name, short)
    return TreeFault(path, f"service {name} sets {short} and {long} to different values: keep one")


def _check_dependencies(name: str, service: dict[str, Any], enabled: Services, disabled: Services) -> None:
    for other, dependency in table_at(service, "depends_on").items():
        path: Path = ("services", name, "depends_on", other)
        if other in enabled or (other in disabled and not dependency.get("required", True)):
            continue
        if other in disabled:
            profiles = list_at(disabled[other], "profiles")
            raise TreeFault(
                path,
                f"service {name} depends on {other}, which its profiles switch off",
                hint=f"enable it: --profile {profiles[0]}; or set required: false",
                details={"service": name, "dependency": other, "profiles": list(profiles)},
            )
        raise TreeFault(
            path,
            f"service {name} depends on {other}, which is not defined",
            details={"service": name, "dependency": other},
        )


def _check_watch(name: str, service: dict[str, Any]) -> None:
    for index, watch in enumerate(list_at(table_at(service, "develop"), "watch")):
        path: Path = ("services", name, "develop", "watch", index)
        if not watch.get("path"):
            raise TreeFault(path, f"a watch of {name} has an empty path")
        if not watch.get("target") and watch["action"] not in ("rebuild", "restart"):
            raise TreeFault(path, f"a watch of {name} with action {watch['action']} needs target")


def _check_cycles(enabled: Services) -> None:
    done: set[str] = set()
    for start in sorted(enabled):
        _visit(start, enabled, done, [])


def _visit(name: str, enabled: Services, done: set[str], trail: list[str]) -> None:
    if name in trail:
        circle = " -> ".join([*trail[trail.index(name) :], name])
        raise TreeFault(
            ("services", name, "depends_on"), f"the services depend on each other in a circle: {circle}"
        )
    if name in done or name not in enabled:
        return
    for other in sorted(table_at(enabled[name], "depends_on")):
        _visit(other, enabled, done, [*trail, name])
    done.add(name)
