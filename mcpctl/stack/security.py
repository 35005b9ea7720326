"""A service's ``security_opt`` as the engine takes it: profiles are sent as JSON, not by their path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPEN_PATHS = "systempaths=unconfined"


def with_profiles(options: Iterable[str], directory: Path) -> tuple[str, ...]:
    """Read the seccomp profiles that options name, relative to ``directory``.

    Raises:
        ConfigError: a profile cannot be read or is not JSON.
    """
    return tuple(_with_profile(option, directory) for option in options)


def _with_profile(option: str, directory: Path) -> str:
    separator = "=" if "=" in option else ":"
    name, _, value = option.partition(separator)
    if name != "seccomp" or value in {"unconfined", "builtin"} or value.startswith("{"):
        return option
    path = directory / value
    try:
        profile: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the seccomp profile {path} cannot be read: {error}",
            hint="correct security_opt in the compose file",
            details={"path": str(path)},
        ) from error
    return f"seccomp={json.dumps(profile, separators=(',', ':'))}"


def security(options: Iterable[str]) -> dict[str, Any]:
    """Return the fields of HostConfig that ``security_opt`` sets."""
    listed = list(options)
    kept = [option for option in listed if option != _OPEN_PATHS]
    fields: dict[str, Any] = {"SecurityOpt": kept or None}
    if _OPEN_PATHS in listed:
        fields |= {"MaskedPaths": list[str](), "ReadonlyPaths": list[str]()}
    return fields
