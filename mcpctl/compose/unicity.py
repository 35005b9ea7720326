"""Lists in which a later entry replaces an earlier one with the same key."""

from __future__ import annotations

from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted
from mcpctl.compose.mounts import parse_mount
from mcpctl.compose.patterns import Patterns
from mcpctl.compose.trees import is_list, is_mapping


def enforce_unicity(tree: Any) -> Any:
    """Return ``tree`` with doubled list entries replaced; raise TreeFault for an entry without a key."""
    return _value(tree, INDEXERS, ())


def _value(value: Any, patterns: Patterns[Any] | None, path: Path) -> Any:
    if patterns is None:
        return value
    if is_mapping(value):
        for key, item in value.items():
            value[key] = _value(item, patterns.step(key), (*path, key))
        return value
    if is_list(value) and patterns.found:
        latest: dict[Any, Any] = {}
        for index, item in enumerate(value):
            latest[patterns.found(item, (*path, index))] = item
        return list(latest.values())
    return value


def _pair(item: Any, path: Path) -> Any:
    if not isinstance(item, str):
        raise TreeFault(path, f"{dotted(path)} must be text", hint=f'put it in quotes: "{item}"')
    return item.partition("=")[0]


def _mount(item: Any, path: Path) -> Any:
    if is_mapping(item):
        return _target(item, path)
    try:
        return parse_mount(str(item))["target"]
    except ValueError as error:
        raise TreeFault(path, f"{dotted(path)}: {error}") from None


def _device(item: Any, path: Path) -> Any:
    if is_mapping(item):
        return _target(item, path)
    parts = str(item).split(":")
    return parts[0] if len(parts) == 1 else parts[1]


def _target(item: dict[str, Any], path: Path) -> Any:
    if isinstance(item.get("target"), str):
        return item["target"]
    raise TreeFault(path, f"{dotted(path)} needs the key target")


def _port(item: Any, path: Path) -> Any:
    if not is_mapping(item):
        return str(item)
    if "target" not in item:
        raise TreeFault(path, f"{dotted(path)} needs the key target")
    everywhere = "0.0.0.0"  # noqa: S104 - what compose takes a missing address for
    ends = item.get("host_ip", everywhere), item.get("published"), item.get("protocol", "tcp"), item["target"]
    return tuple(map(str, ends))


def _file_use(default: str) -> Any:
    def index(item: Any, _path: Path) -> Any:
        if is_mapping(item):
            return str(item.get("target", f"{default}/{item.get('source')}"))
        return f"{default}/{item}"

    return index


def _env_file(item: Any, path: Path) -> Any:
    if is_mapping(item):
        if "path" not in item:
            raise TreeFault(path, f"{dotted(path)} needs the key path")
        return str(item["path"])
    return str(item)


def _itself(item: Any, _path: Path) -> Any:
    return str(item)


_PAIRS = [
    "annotations",
    "build.args",
    "build.additional_contexts",
    "build.tags",
    "build.labels",
    "cap_add",
    "cap_drop",
    "deploy.labels",
    "dns",
    "dns_opt",
    "dns_search",
    "environment",
    "labels",
    "links",
    "networks.*.aliases",
    "networks.*.link_local_ips",
    "profiles",
    "sysctls",
    "tmpfs",
]

INDEXERS: Patterns[Any] = Patterns(
    dict.fromkeys(("networks.*.labels", *(f"services.*.{key}" for key in _PAIRS)), _pair)
    | {
        "services.*.configs": _file_use(""),
        "services.*.devices": _device,
        "services.*.env_file": _env_file,
        "services.*.expose": _itself,
        "services.*.ports": _port,
        "services.*.secrets": _file_use("/run/secrets"),
        "services.*.volumes": _mount,
    }
)
