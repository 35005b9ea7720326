"""Say why a container did not come up: last health output, last log lines, exit, and what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine.streams import logs
from mcpctl.errors import McpctlError, Unhealthy
from mcpctl.stack.observe import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.engine.client import Engine
    from mcpctl.stack.readiness import Assessment

LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of one container that is not ready."""

    service: str
    container: str
    status: str
    health_output: str
    log: tuple[str, ...]
    exit_code: int
    oom_killed: bool
    restarts: int

    def to_json(self) -> dict[str, object]:
        """Return the form that an error's details carry."""
        return {
            "service": self.service,
            "container": self.container,
            "status": self.status,
            "health_output": self.health_output,
            "log": list(self.log),
            "exit_code": self.exit_code,
            "oom_killed": self.oom_killed,
            "restarts": self.restarts,
        }


def diagnose(engine: Engine, assessment: Assessment) -> Diagnosis:
    """Gather what the engine still knows of a container that is not ready."""
    container = engine.find_container(assessment.container.id) or assessment.container
    try:
        lines = tuple(line.text for line in logs(engine, container.id, tail=LOG_LINES))
    except McpctlError as error:  # the container may be gone; that is worth a line, not a second failure
        lines = (f"(no log: {error.message})",)
    return Diagnosis(
        service=service_of(container),
        container=container.name,
        status=assessment.status,
        health_output=assessment.detail,
        log=lines,
        exit_code=container.exit_code,
        oom_killed=container.oom_killed,
        restarts=container.restart_count,
    )


def unhealthy(diagnoses: Iterable[Diagnosis], *, timeout: float | None = None) -> Unhealthy:
    """Build the error that names each culprit and the next command."""
    found = list(diagnoses)
    names = ", ".join(dict.fromkeys(item.service for item in found))
    limit = f" within {timeout:g} s" if timeout is not None else ""
    return Unhealthy(
        f"not healthy{limit}: " + "; ".join(f"{item.service} ({_cause(item)})" for item in found),
        hint=f"mcpctl logs {names.split(', ')[0]}",
        details={"containers": [item.to_json() for item in found]},
    )


def _cause(item: Diagnosis) -> str:
    if item.oom_killed:
        return "killed for using more memory than its limit"
    return item.status
