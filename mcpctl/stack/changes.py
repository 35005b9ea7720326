"""Say key by key how a container differs from what would be made now. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose import contents, labels
from mcpctl.compose.hashes import service_hash
from mcpctl.compose.output import MASK, looks_secret, mask_value
from mcpctl.stack.facts import Made, facts
from mcpctl.stack.mounts import file_targets, inherited_volumes
from mcpctl.stack.observe import number_of, stranded_name
from mcpctl.stack.spec import ContainerSpec, Placement, container_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.types import Container, Image

Json = dict[str, Any]

UNSET = "unset"
LONGEST_VALUE = 100
"""Characters of a value that are shown; of a longer one, those about the first difference."""
_LEAD = 20
_SEEN_BY_THE_IMAGE = re.compile(
    r"(environment|labels|expose|healthcheck)\.|(command|entrypoint|user|working_dir|stop_signal)\Z"
)
_UP_TO_THE_HOST = re.compile(
    r"(logging|ulimits|annotations)\.|blkio_config\.weight"
    r"|(shm_size|ipc|runtime|init|isolation|userns_mode|mem_swappiness|memswap_limit|oom_kill_disable"
    r"|mac_address)\Z"
)
"""Keys that the daemon's own settings fill in, or that some engine or kernel drops: they are named only
where nothing else explains a change. What ``cgroup`` was before it was removed cannot be told at all."""
_SHORT_NAMES = {
    "deploy.resources.limits.memory": "mem_limit",
    "deploy.resources.reservations.memory": "mem_reservation",
    "deploy.resources.limits.pids": "pids_limit",
    "deploy.resources.limits.cpus": "cpus",
}
_NAMED = re.compile(
    r"(environment|labels|annotations|sysctls|storage_opt|logging\.options|networks\.\w+\.driver_opts)\."
    r"(?P<name>.+)",
    re.DOTALL,
)
"""Tables whose names are free, and may be those of secrets."""
_COMMANDS = frozenset({"command", "entrypoint", "healthcheck.test"})
_INVISIBLE = ("profiles", "attach", "develop", "annotations", "platform", "label_file", "env_file")
"""Keys that leave no trace in a container: only that one was added can be told, from the hash without it."""


def changed_keys(project: Project, service: Service, container: Container, image: Image | None) -> list[str]:
    """Return a reason for each key that differs; ``image`` is the one that the container was made from.

    References to other services must be resolved (see ``references``).
    """
    placement = Placement(
        number_of(container),
        labels.container_labels(project, service, 1),
        inherited=inherited_volumes(service, container),
    )
    spec = container_spec(project, service, placement)
    before = facts(_as_it_is(project, service, container, spec))
    after = facts(_as_it_would_be(project, service, container, spec, image))
    if image is None:  # what came from it cannot be told from what came from the file
        before = {key: before[key] for key in before if key in after or not _SEEN_BY_THE_IMAGE.match(key)}
    if "cgroup" not in after:
        before.pop("cgroup", None)
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    certain = [key for key in changed if not _UP_TO_THE_HOST.match(key)]
    reasons = [_reason(_spelled(key, service), before.get(key), after.get(key)) for key in certain or changed]
    name = stranded_name(container) or container.name
    if name != spec.name:
        reasons.append(f"container_name: {name} -> {spec.name}")
    return reasons or _invisible(service, container)


def _as_it_is(project: Project, service: Service, container: Container, spec: ContainerSpec) -> Made:
    config: Json = dict(container.raw["Config"])
    if config.get("Hostname") == container.id[:12]:
        config["Hostname"] = ""
    settings = cast("Json", container.raw.get("NetworkSettings") or {})
    networks = cast("dict[str, Json]", settings.get("Networks") or {})
    return Made(
        config,
        cast("Json", container.raw["HostConfig"]),
        {name: _without_automatic_links(project, endpoint) for name, endpoint in networks.items()},
        frozenset(
            {container.name, stranded_name(container) or "", spec.name, service.name, config["Hostname"]}
        ),
        _keys(project, container),
        _former_files(service, container),
    )


def _as_it_would_be(
    project: Project, service: Service, container: Container, spec: ContainerSpec, image: Image | None
) -> Made:
    first = cast("Mapping[str, Mapping[str, Any]]", spec.config["NetworkingConfig"]["EndpointsConfig"])
    endpoints = {**first, **spec.later_networks}
    links = [f"{entry.partition(':')[0]}:{entry.rpartition(':')[2]}" for entry in service.links]
    return Made(
        _over_image(dict(spec.config), image.config if image else {}),
        cast("Json", spec.config["HostConfig"]),
        {name: {**endpoint, "Links": links} for name, endpoint in endpoints.items()},
        frozenset({container.name, spec.name, service.name}),
        _keys(project, container),
        file_targets(service),
    )


def _keys(project: Project, container: Container) -> dict[str, str]:
    """Return the file's key for each name of the engine; for one that the file lost, by compose's rule."""
    names = {*container.network_ids, *container.volumes.values()}
    prefix = f"{project.name}_"
    found = {name: name.removeprefix(prefix) for name in names}
    found |= {volume.name: key for key, volume in project.volumes.items()}
    return found | {network.name: key for key, network in project.networks.items()}


def _former_files(service: Service, container: Container) -> dict[str, str]:
    """Tell configs that the file no longer has from volumes: their label still names them."""
    found = dict(file_targets(service))
    had = contents.read_label(container.labels.get(labels.CONTENT, ""))
    if any(key.startswith("configs.") for key in had):
        for mount in cast("list[Json]", container.raw["HostConfig"].get("Mounts") or []):
            if mount["Type"] == "bind" and mount.get("ReadOnly"):
                found.setdefault(str(mount["Target"]), "configs")
    return found


def _without_automatic_links(project: Project, endpoint: Json) -> Json:
    """Keep of each link the alias that the file gives: compose adds two more."""
    kept: list[str] = []
    for link in cast("list[str]", endpoint.get("Links") or []):
        container, _, alias = link.partition(":")
        match = re.fullmatch(rf"{re.escape(project.name)}-(?P<service>.+)-\d+", container)
        service = match["service"] if match else container
        automatic = re.fullmatch(rf"({re.escape(project.name)}-)?{re.escape(service)}-\d+", alias)
        if not automatic:
            kept.append(f"{service}:{alias}")
    return {**endpoint, "Links": sorted(set(kept))}


def _over_image(config: Json, image: Mapping[str, Any]) -> Json:
    """Fill in what the engine takes from the image; rule: moby, ``daemon/commit.go``, ``merge``."""
    entries = [*cast("list[str]", image.get("Env") or []), *cast("list[str]", config["Env"])]
    environment = {entry.partition("=")[0]: entry for entry in entries}
    if not config["Entrypoint"]:
        config["Cmd"] = config["Cmd"] or image.get("Cmd")
        if config["Entrypoint"] is None:
            config["Entrypoint"] = image.get("Entrypoint")
    for key in ("User", "WorkingDir", "StopSignal"):
        config[key] = config.get(key) or image.get(key)
    own, check = cast("Json", config.get("Healthcheck") or {}), cast("Json", image.get("Healthcheck") or {})
    check = check | {key: value for key, value in own.items() if value}
    return config | {
        "Env": list(environment.values()),
        "Labels": {**(image.get("Labels") or {}), **config["Labels"]},
        "ExposedPorts": {**(image.get("ExposedPorts") or {}), **config["ExposedPorts"]},
        "Healthcheck": check,
    }


def _spelled(fact: str, service: Service) -> str:
    """Return a key as the file has it: limits have a short and a long form."""
    short = _SHORT_NAMES.get(fact)
    return short if short and (short in service.resolved or "deploy" not in service.resolved) else fact


def _reason(key: str, before: str | None, after: str | None) -> str:
    old, new = _shown(key, before), _shown(key, after)
    if max(len(old), len(new)) > LONGEST_VALUE:
        old, new = _about_the_difference(old, new)
    return f"{key}: {old} -> {new}"


def _shown(key: str, value: str | None) -> str:
    if value is None:
        return UNSET
    if key in _COMMANDS:
        value = _without_secrets(value)
    named = _NAMED.match(key)
    return mask_value(named["name"] if named else "", value).replace("\n", "\\n")


_VALUE = r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s'\"]+)"
_ASSIGNED = re.compile(rf"(?P<name>[\w-]+)(?P<between>=){_VALUE}")
_OPTION = re.compile(rf"(?P<name>--\w[\w-]*)(?P<between>\s+)(?!-){_VALUE}")


def _without_secrets(command: str) -> str:
    """Mask the values of options and assignments whose names look secret."""

    def masked(match: re.Match[str]) -> str:
        secret = looks_secret(match["name"].strip("-").replace("-", "_"))
        return f"{match['name']}{match['between']}{MASK}" if secret else match[0]

    return _OPTION.sub(masked, _ASSIGNED.sub(masked, command))


def _about_the_difference(old: str, new: str) -> tuple[str, str]:
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(same - _LEAD, 0)
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    if text == UNSET:
        return text
    end = start + LONGEST_VALUE
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")


def _invisible(service: Service, container: Container) -> list[str]:
    stored = container.labels.get(labels.CONFIG_HASH)
    for key in _INVISIBLE:
        without = {name: value for name, value in service.resolved.items() if name != key}
        if key in service.resolved and service_hash(without) == stored:
            return [f"{key}: {UNSET} -> set"]
    return []
