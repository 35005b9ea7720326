"""Names of projects, containers, networks and volumes.

Source: docker compose; see docs/reference/compose.md.
"""

from __future__ import annotations

import re

from mcpctl.errors import ConfigError

_ALLOWED = re.compile(r"[a-z0-9_-]")


def normalise_project_name(name: str) -> str:
    """Return the project name that compose derives from a folder's name."""
    return "".join(_ALLOWED.findall(name.lower())).lstrip("_-")


def check_project_name(name: str, origin: str) -> str:
    """Return ``name`` if it may be a project name, else raise ConfigError naming ``origin``."""
    if normalise_project_name(name) == name:
        return name
    raise ConfigError(
        f'the project name "{name}" (from {origin}) is not valid: lower-case letters, digits, - and _, '
        "starting with a letter or digit",
        hint=f"use {normalise_project_name(name) or 'another name'}",
        details={"name": name, "origin": origin},
    )


def container_name(project: str, service: str, number: int) -> str:
    """Return the name of a service's container, where the file sets none."""
    return f"{project}-{service}-{number}"


def resource_name(project: str, key: str) -> str:
    """Return the name of a network, volume, secret or config, where the file sets none."""
    return f"{project}_{key}"
