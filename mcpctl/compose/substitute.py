"""Interpolate every value of a tree and give it the type that its key wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose.faults import Path, TreeFault, dotted
from mcpctl.compose.interpolate import InvalidTemplate, MissingVariable, interpolate
from mcpctl.compose.patterns import Patterns
from mcpctl.compose.scalars import Timestamp
from mcpctl.compose.trees import is_list, is_mapping
from mcpctl.compose.units import float32

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.interpolate import Lookup

TRUE_WORDS = frozenset(("true", "y", "yes", "on"))
FALSE_WORDS = frozenset(("false", "n", "no", "off"))


def to_bool(text: str) -> bool:
    """Return the truth value of a YAML 1.1 or 1.2 word; raise ValueError."""
    word = text.lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise ValueError(f"{text!r} is neither true nor false")


def to_int(text: str) -> int:
    """Return a whole number in plain decimal digits; raise ValueError."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits.isascii() and digits.isdigit():
        return int(text)
    raise ValueError(f"{text!r} is no whole number")


def to_float(text: str) -> float:
    """Return a number; raise ValueError."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _to_float32(text: str) -> float:
    return float32(to_float(text))


_INTEGERS = [
    "configs.*.mode",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "deploy.replicas",
    "deploy.update_config.parallelism",
    "deploy.rollback_config.parallelism",
    "deploy.restart_policy.max_attempts",
    "deploy.placement.max_replicas_per_node",
    "healthcheck.retries",
    "oom_score_adj",
    "pids_limit",
    "ports.*.target",
    "scale",
    "secrets.*.mode",
    "ulimits.*",
    "ulimits.*.hard",
    "ulimits.*.soft",
]
_FLAGS = [
    "init",
    "healthcheck.disable",
    "oom_kill_disable",
    "privileged",
    "read_only",
    "stdin_open",
    "tty",
    "volumes.*.read_only",
    "volumes.*.volume.nocopy",
]
_TOP_FLAGS = [
    "networks.*.external",
    "networks.*.internal",
    "networks.*.attachable",
    "networks.*.enable_ipv6",
    "volumes.*.external",
    "secrets.*.external",
    "configs.*.external",
]

CASTS: Patterns[Callable[[str], Any]] = Patterns(
    {f"services.*.{key}": to_int for key in _INTEGERS}
    | {f"services.*.{key}": to_bool for key in _FLAGS}
    | dict.fromkeys(_TOP_FLAGS, to_bool)
    | {"services.*.cpus": _to_float32}
    | {f"services.*.deploy.{key}_config.max_failure_ratio": to_float for key in ("update", "rollback")}
)


def substitute(tree: Any, lookup: Lookup, unset: Callable[[str], None]) -> Any:
    """Return a copy of ``tree`` with its variables replaced; raise TreeFault with the path of the value."""
    return _Walk(lookup, unset).value(tree, CASTS, ())


class _Walk:
    def __init__(self, lookup: Lookup, unset: Callable[[str], None]) -> None:
        self.lookup = lookup
        self.unset = unset

    def value(self, value: Any, casts: Patterns[Callable[[str], Any]] | None, path: Path) -> Any:
        if isinstance(value, str):
            return value if isinstance(value, Timestamp) else self._text(value, casts, path)
        if is_mapping(value):
            return {
                key: self.value(item, casts and casts.step(key), (*path, key)) for key, item in value.items()
            }
        if is_list(value):
            return [self.value(item, casts and casts.step(i), (*path, i)) for i, item in enumerate(value)]
        return value

    def _text(self, text: str, casts: Patterns[Callable[[str], Any]] | None, path: Path) -> Any:
        try:
            result = interpolate(text, self.lookup, self.unset)
        except MissingVariable as error:
            raise TreeFault(
                path,
                str(error),
                hint=f"set {error.variable} in the environment or in .env",
                details={"variable": error.variable},
            ) from None
        except InvalidTemplate as error:
            raise TreeFault(
                path,
                f"invalid interpolation in {dotted(path)}: {error.template}",
                hint="write $$ for a plain $",
            ) from None
        if not casts or not casts.found:
            return result
        try:
            return casts.found(result)
        except ValueError as error:
            raise TreeFault(path, f"{dotted(path)}: {error}") from None
