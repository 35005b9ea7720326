"""What a file says that has no effect here: told, never dropped in silence."""

from __future__ import annotations

from typing import Any

from mcpctl.compose.shellwords import UnfinishedCommand, split_command
from mcpctl.compose.trees import table_at

_SWARM_ONLY = ("placement", "endpoint_mode", "rollback_config")


def notices(services: dict[str, Any]) -> list[str]:
    """Return a warning for every key of an enabled service that compose reads and does not use."""
    found: list[str] = []
    for name, service in services.items():
        found += _cut_commands(name, service)
        deploy = table_at(service, "deploy")
        found += [
            f"services.{name}.deploy.{key} works in Swarm only: ignored"
            for key in _SWARM_ONLY
            if deploy.get(key)
        ]
        if deploy.get("mode") not in (None, "replicated"):
            found.append(f"services.{name}.deploy.mode works in Swarm only: ignored")
        reservations = table_at(deploy, "resources", "reservations")
        if reservations.get("cpus"):
            found.append(f"services.{name}.deploy.resources.reservations.cpus works in Swarm only: ignored")
    return found


def _cut_commands(name: str, service: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for key in ("command", "entrypoint"):
        value = service.get(key)
        if not isinstance(value, str):
            continue
        try:
            rest = split_command(value)[1]
        except UnfinishedCommand:
            # The stage that writes the model out reports it as an error with its place.
            continue
        if rest:
            found.append(
                f"services.{name}.{key} ends before {rest!r}: no shell reads it, and compose cuts it there; "
                'write it as a list, or as ["sh", "-c", "…"]'
            )
    return found
