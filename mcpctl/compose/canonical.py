"""Short forms to long forms, and the values that a missing key stands for."""

from __future__ import annotations

from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted
from mcpctl.compose.mounts import parse_mount
from mcpctl.compose.patterns import Patterns
from mcpctl.compose.ports import parse_port
from mcpctl.compose.trees import Tree, is_list, is_mapping

SERVICE_STARTED = "service_started"


def canonical(tree: Any) -> Any:
    """Return ``tree`` with every short form written out; raise TreeFault for one that cannot be read."""
    return _apply(tree, _LONG_FORMS, ())


def with_defaults(tree: Any) -> Any:
    """Return the merged ``tree`` with the values that compose assumes for missing keys."""
    return _apply(tree, _DEFAULTS, ())


def _apply(value: Any, rules: Patterns[Any] | None, path: Path) -> Any:
    if rules is None:
        return value
    if rules.found and value is not None:
        value = _attempt(rules.found, value, path)
    if is_mapping(value):
        for key, item in value.items():
            value[key] = _apply(item, rules.step(key), (*path, key))
    elif is_list(value) and rules.branches:
        return [_apply(item, rules.step(index), (*path, index)) for index, item in enumerate(value)]
    return value


def _attempt(rule: Any, value: Any, path: Path) -> Any:
    try:
        return rule(value, path)
    except ValueError as error:
        raise TreeFault(path, f"{dotted(path)}: {error}") from None


def _build(value: Any, _path: Path) -> Any:
    return {"context": value} if isinstance(value, str) else value


def _pairs(value: Any, _path: Path) -> Any:
    if is_mapping(value):
        return value
    wrong = [line for line in value if "=" not in line]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not of the form name=value")
    return dict(line.split("=", 1) for line in value)


def _depends_on(value: Any, _path: Path) -> Any:
    edges: Tree = {name: {} for name in value} if is_list(value) else value
    return {name: {"condition": SERVICE_STARTED, "required": True} | edge for name, edge in edges.items()}


def _list(value: Any, _path: Path) -> Any:
    return [value] if isinstance(value, str) else value


def _env_file(value: Any, _path: Path) -> Any:
    entries: list[Any] = [value] if isinstance(value, str) else value
    return [{"required": True} | ({"path": entry} if isinstance(entry, str) else entry) for entry in entries]


def _networks(value: Any, _path: Path) -> Any:
    return dict.fromkeys(value) if is_list(value) else value


def _mount(value: Any, _path: Path) -> Any:
    return parse_mount(value) if isinstance(value, str) else value


def _device(value: Any, _path: Path) -> Any:
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if len(parts) > 3:
        raise ValueError(f"{value!r} has too many colons: HOST[:CONTAINER[:rwm]]")
    source, target, permissions = (*parts, "", "")[:3] if len(parts) < 3 else parts
    return {"source": source, "target": target or source, "permissions": permissions or "rwm"}


def _file_use(value: Any, _path: Path) -> Any:
    return {"source": value} if isinstance(value, str) else value


def _port(value: Any, _path: Path) -> Any:
    return parse_port(str(value))


def _ports(value: Any, path: Path) -> Any:
    ports: list[Any] = []
    for index, entry in enumerate(value):
        if is_mapping(entry):
            ports.append(entry)
        else:
            ports.extend(_attempt(_port, entry, (*path, index)))
    return ports


def _external(value: Any, _path: Path) -> Any:
    external = value.get("external")
    if not is_mapping(external):
        return value
    resource: Tree = value | {"external": True}
    name = external.get("name")
    if name is not None and resource.setdefault("name", name) != name:
        raise ValueError("name and external.name differ; keep name alone")
    return resource


def _ulimit(value: Any, _path: Path) -> Any:
    if isinstance(value, int) or is_mapping(value):
        return value
    raise ValueError(f"{value!r} is no limit")


_LONG_FORMS: Patterns[Any] = Patterns(
    {
        "services.*.build": _build,
        "services.*.build.additional_contexts": _pairs,
        "services.*.build.secrets.*": _file_use,
        "services.*.configs.*": _file_use,
        "services.*.depends_on": _depends_on,
        "services.*.devices.*": _device,
        "services.*.dns": _list,
        "services.*.env_file": _env_file,
        "services.*.label_file": _list,
        "services.*.networks": _networks,
        "services.*.ports": _ports,
        "services.*.secrets.*": _file_use,
        "services.*.ulimits.*": _ulimit,
        "services.*.volumes.*": _mount,
        "configs.*": _external,
        "networks.*": _external,
        "secrets.*": _external,
        "volumes.*": _external,
    }
)


def _default_context(value: Any, _path: Path) -> Any:
    return {"context": "."} | value


def _default_port(value: Any, _path: Path) -> Any:
    return {"protocol": "tcp", "mode": "ingress"} | value


def _default_secret(value: Any, _path: Path) -> Any:
    return {"target": f"/run/secrets/{value.get('source')}"} | value


def _default_devices(value: Any, _path: Path) -> Any:
    return value if "count" in value or "device_ids" in value else value | {"count": "all"}


_DEFAULTS: Patterns[Any] = Patterns(
    {
        "services.*.build": _default_context,
        "services.*.ports.*": _default_port,
        "services.*.secrets.*": _default_secret,
        "services.*.deploy.resources.reservations.devices.*": _default_devices,
    }
)
