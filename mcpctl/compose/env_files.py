"""The files that a service names under ``env_file`` and ``label_file``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcpctl.compose import dotenv
from mcpctl.compose.environment import read_text
from mcpctl.compose.faults import TreeFault
from mcpctl.compose.values import flag, labels, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def resolve_env_files(
    name: str, service: dict[str, Any], variables: Mapping[str, str], unset: Callable[[str], None]
) -> None:
    """Read the env files of a service into its ``environment``, in place; raise ConfigError."""
    own = pairs(service.pop("environment", {}))
    own = {key: variables.get(key) if value is None else value for key, value in own.items()}
    read: dict[str, str] = {}

    def lookup(key: str) -> str | None:
        return read.get(key, variables.get(key))

    for index, entry in enumerate(service.pop("env_file", ())):
        file = Path(entry["path"])
        if not file.exists():
            if not flag(entry["required"]):
                continue
            raise TreeFault(
                ("services", name, "env_file", index),
                f"the env file {file} of service {name} does not exist",
                hint=f"create {file}, or write it as {{path: {file.name}, required: false}}",
                details={"service": name, "env_file": str(file)},
            )
        _require_file(("services", name, "env_file", index), file, f"the env file of service {name}")
        read |= dotenv.parse(read_text(file, "env file"), lookup, str(file), unset)
    service["environment"] = {**read, **own}


def _require_file(path: tuple[str | int, ...], file: Path, what: str) -> None:
    """Refuse a folder, which is also what an empty path means."""
    if file.is_dir():
        raise TreeFault(path, f"{what} is a folder: {file.absolute()}", hint="name a file")


def resolve_label_files(name: str, service: dict[str, Any], unset: Callable[[str], None]) -> None:
    """Read the label files of a service into its ``labels``, in place; raise ConfigError."""
    read: dict[str, str] = {}
    for index, entry in enumerate(service.pop("label_file", ())):
        file = Path(entry)
        if not file.exists():
            path = ("services", name, "label_file", index)
            raise TreeFault(
                path, f"the label file {file} of service {name} does not exist", hint=f"create {file}"
            )
        _require_file(("services", name, "label_file", index), file, f"the label file of service {name}")
        read |= dotenv.parse(read_text(file, "label file"), read.get, str(file), unset)
    if read:
        service["labels"] = {**read, **labels(service.get("labels", {}))}
