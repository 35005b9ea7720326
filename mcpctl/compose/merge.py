"""Lay one file over another by compose's rules.

Source: the compose specification, chapter Merge and override, and docker compose 2.26 where it is silent.
"""

from __future__ import annotations

from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted
from mcpctl.compose.patterns import Patterns
from mcpctl.compose.trees import is_list, is_mapping
from mcpctl.compose.units import go_text


def merge(base: Any, over: Any) -> Any:
    """Return ``base`` with ``over`` laid on top; both may be used up. Raise TreeFault where kinds clash."""
    return _Merge().value(base, over, RULES, ())


def drop_replaced(tree: Any, replaced: set[Path]) -> None:
    """Take the paths that a later file marks ``!reset`` or ``!override`` out of ``tree``."""
    for path in replaced:
        parent = tree
        for part in path[:-1]:
            parent = parent.get(part) if is_mapping(parent) and isinstance(part, str) else None
        if path and is_mapping(parent):
            parent.pop(str(path[-1]), None)


class _Merge:
    def value(self, base: Any, over: Any, rules: Patterns[Any] | None, path: Path) -> Any:
        if rules and rules.found:
            return rules.found(self, base, over, rules, path)
        if over is None:
            return base
        if is_mapping(base):
            if not is_mapping(over):
                raise _clash(path)
            return self.mappings(base, over, rules, path)
        if is_list(base):
            if not is_list(over):
                raise _clash(path)
            return [*base, *over]
        return over

    def mappings(
        self, base: dict[str, Any], over: dict[str, Any], rules: Patterns[Any] | None, path: Path
    ) -> Any:
        for key, value in over.items():
            if key not in base or key.startswith("x-"):
                base[key] = value
            else:
                base[key] = self.value(base[key], value, rules and rules.step(key), (*path, key))
        return base


def _clash(path: Path) -> TreeFault:
    return TreeFault(path, f"cannot merge {dotted(path)}: the files disagree on what kind of value it is")


def _take_over(_merge: _Merge, _base: Any, over: Any, _rules: Any, _path: Path) -> Any:
    return over


def _join(_merge: _Merge, base: Any, over: Any, _rules: Any, _path: Path) -> Any:
    return [*as_list(base), *as_list(over)]


def _join_new(_merge: _Merge, base: Any, over: Any, _rules: Any, _path: Path) -> Any:
    first = as_list(base)
    return [*first, *(item for item in as_list(over) if item not in first)]


def _build(merger: _Merge, base: Any, over: Any, rules: Any, path: Path) -> Any:
    def long(value: Any) -> Any:
        return {"context": value} if isinstance(value, str) else value or {}

    return merger.mappings(long(base), long(over), rules, path)


def _depends_on(merger: _Merge, base: Any, over: Any, rules: Any, path: Path) -> Any:
    default = {"condition": "service_started", "required": True}
    return merger.mappings(_as_mapping(base, default), _as_mapping(over, default), rules, path)


def _networks(merger: _Merge, base: Any, over: Any, rules: Any, path: Path) -> Any:
    return merger.mappings(_as_mapping(base, None), _as_mapping(over, None), rules, path)


def _logging(merger: _Merge, base: Any, over: Any, rules: Any, path: Path) -> Any:
    drivers = base.get("driver"), over.get("driver")
    if drivers[0] == drivers[1] or None in drivers:
        return merger.mappings(base, over, rules, path)
    return over


def _ipam_config(merger: _Merge, base: Any, over: Any, _rules: Any, path: Path) -> Any:
    """Merge address pools by subnet."""
    pools: list[dict[str, Any]] = []
    for original in base:
        for override in over:
            pool: dict[str, Any] = override
            if original.get("subnet") == override.get("subnet"):
                pool = merger.mappings(dict(original), override, None, path)
            same = [i for i, known in enumerate(pools) if known.get("subnet") == pool.get("subnet")]
            if not same:
                pools.append(pool)
            elif pool is not override:
                pools[same[0]] = pool
    return pools


def as_list(value: Any) -> list[Any]:
    """Return a mapping as sorted ``KEY=value`` lines, a text as a list of one."""
    if is_mapping(value):
        lines: list[str] = []
        for key, item in value.items():
            if item is None:
                lines.append(key)
            else:
                lines.extend(f"{key}={go_text(one)}" for one in (item if is_list(item) else [item]))
        return sorted(lines)
    if is_list(value):
        return value
    return [] if value is None else [value]


def _as_mapping(value: Any, default: dict[str, Any] | None) -> dict[str, Any]:
    if is_list(value):
        names: list[str] = value
        return {name: default and dict(default) for name in names}
    return value or {}


_JOINED = [
    "annotations",
    "build.args",
    "build.additional_contexts",
    "build.labels",
    "deploy.labels",
    "dns",
    "dns_opt",
    "dns_search",
    "env_file",
    "label_file",
    "environment",
    "labels",
    "sysctls",
    "tmpfs",
]

RULES: Patterns[Any] = Patterns(
    dict.fromkeys(("networks.*.labels", "volumes.*.labels", *(f"services.*.{key}" for key in _JOINED)), _join)
    | {f"services.*.{key}": _take_over for key in ("command", "entrypoint", "healthcheck.test", "ulimits.*")}
    | {f"services.*.{key}": _join_new for key in ("extra_hosts", "build.extra_hosts")}
    | {
        "networks.*.ipam.config": _ipam_config,
        "services.*.build": _build,
        "services.*.depends_on": _depends_on,
        "services.*.logging": _logging,
        "services.*.networks": _networks,
    }
)
