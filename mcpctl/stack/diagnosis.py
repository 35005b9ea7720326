"""Say why a container did not come up: last health output, last log lines, exit, and what to type next."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine.streams import logs
from mcpctl.errors import McpctlError, Unhealthy
from mcpctl.stack.observe import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container
    from mcpctl.stack.readiness import Assessment

LOG_LINES = 15
_ENDED = ("exited", "crash loop", "removed")
CANNOT_RUN, NOT_FOUND = 126, 127
_SIGNALLED = 128
_PORT_IN_USE = re.compile(
    r"(?:port |:|, )(?P<port>\d{2,5})\b[^\n]*?(?:in use|already allocated)"
    r"|in use[^\n]*?(?:port |:|\D)(?P<later>\d{2,5})\b",
    re.IGNORECASE,
)
_SIGNAL_CAUSES = {
    "SIGKILL": "by hand, or for want of memory",
    "SIGSEGV": "it crashed",
    "SIGABRT": "it gave up by itself",
    "SIGTERM": "somebody stopped it",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of one container that is not ready; ``port`` is one that it found in use."""

    service: str
    container: str
    status: str
    health_output: str
    log: tuple[str, ...]
    exit_code: int
    exit_meaning: str
    oom_killed: bool
    restarts: int
    error: str
    port: int | None
    port_holder: str | None
    next: str

    def to_json(self) -> dict[str, object]:
        """Return the form that an error's details carry."""
        return {
            "service": self.service,
            "container": self.container,
            "status": self.status,
            "health_output": self.health_output,
            "log": list(self.log),
            "exit_code": self.exit_code,
            "exit_meaning": self.exit_meaning,
            "oom_killed": self.oom_killed,
            "restarts": self.restarts,
            "error": self.error,
            "port": self.port,
            "port_holder": self.port_holder,
            "next": self.next,
        }


def diagnose(engine: Engine, assessment: Assessment) -> Diagnosis:
    """Gather what the engine still knows of a container that is not ready."""
    container = engine.find_container(assessment.container.id) or assessment.container
    try:
        lines = tuple(line.text for line in logs(engine, container.id, tail=LOG_LINES))
    except McpctlError as error:  # the container may be gone; that is worth a line, not a second failure
        lines = (f"(no log: {error.message})",)
    port = _port_in_use((container.error, *reversed(lines)))
    holder = _holder(engine, container, port)
    return Diagnosis(
        service=service_of(container),
        container=container.name,
        status=assessment.status,
        health_output="" if assessment.looping else assessment.detail,
        log=lines,
        exit_code=container.exit_code,
        exit_meaning=exit_meaning(container.exit_code),
        oom_killed=container.oom_killed,
        restarts=container.restart_count,
        error=container.error,
        port=port,
        port_holder=holder,
        next=_next(container, assessment, port, holder),
    )


def exit_meaning(code: int) -> str:
    """Say what an exit code means beyond what a program chooses itself, ``""`` where it means no more.

    Codes: the shell's, POSIX 2.8.2; above 128 a signal ended the process.
    """
    if code in {CANNOT_RUN, NOT_FOUND}:
        return "its command cannot be executed" if code == CANNOT_RUN else "its command was not found"
    try:
        name = signal.Signals(code - _SIGNALLED).name
    except ValueError:
        return ""
    cause = _SIGNAL_CAUSES.get(name)
    return f"{name}: {cause}" if cause else name


def _port_in_use(lines: Iterable[str]) -> int | None:
    for line in lines:
        if match := _PORT_IN_USE.search(line):
            return int(match["port"] or match["later"])
    return None


def _holder(engine: Engine, container: Container, port: int | None) -> str | None:
    """Name the container that publishes a port of the host which this one wants as well."""
    on_the_host = container.raw["HostConfig"].get("NetworkMode") == "host" or container.error
    if port is None or not on_the_host:
        return None
    holder = engine.container_publishing(port)
    return None if holder == container.name else holder


def _next(container: Container, assessment: Assessment, port: int | None, holder: str | None) -> str:
    service = service_of(container)
    if holder:
        return f"docker stop {holder}"
    if port is not None and container.raw["HostConfig"].get("NetworkMode") == "host":
        return f"ss -ltnp 'sport = :{port}'"
    if container.oom_killed:
        return f"raise deploy.resources.limits.memory of {service} in the compose file"
    if container.exit_code in {CANNOT_RUN, NOT_FOUND}:
        return f"correct command or entrypoint of {service} in the compose file"
    if assessment.status in {"starting", "created"} and container.running:
        return f"mcpctl logs {service}, or give it longer: mcpctl up --wait-timeout 300"
    return f"mcpctl logs {service}"


def unhealthy(
    diagnoses: Iterable[Diagnosis], *, timeout: float | None = None, consequence: str = ""
) -> Unhealthy:
    """Build the error that names each culprit and the next command; ``consequence`` says who suffers."""
    # what has ended says more than what is merely late
    found = sorted(diagnoses, key=lambda item: not item.status.startswith(_ENDED))
    limit = f" within {timeout:g} s" if timeout is not None else ""
    if all(item.status.startswith(_ENDED) for item in found):
        limit = ""  # more time would not have helped
    causes = "; ".join(f"{item.service} ({_cause(item)})" for item in found)
    return Unhealthy(
        f"not healthy{limit}: {causes}" + (f"; {consequence}" if consequence else ""),
        hint=found[0].next,
        details={"containers": [item.to_json() for item in found]},
    )


def _cause(item: Diagnosis) -> str:
    if item.oom_killed:
        return "killed for using more memory than its limit"
    if item.port is not None:
        return f"{item.status}, port {item.port} is in use" + (
            f" by container {item.port_holder}" if item.port_holder else ""
        )
    meaning = item.exit_meaning if item.status.startswith(_ENDED) else ""
    return f"{item.status}, {meaning}" if meaning else item.status
