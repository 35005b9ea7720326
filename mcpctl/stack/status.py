"""`status` and `health`: what runs, beside what should run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.stack.observe import number_of, observe_containers, service_of
from mcpctl.stack.readiness import assess_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container
    from mcpctl.stack.readiness import Assessment

PROBE_SECONDS = 10.0
"""The longest that one look at a container's health may take."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: what is desired and what is there."""

    service: str
    desired: int
    assessments: tuple[Assessment, ...]

    @property
    def running(self) -> int:
        """Count the replicas whose process runs."""
        return sum(item.container.running for item in self.assessments)

    @property
    def healthy(self) -> bool:
        """Tell whether all desired replicas are ready."""
        ready = [item for item in self.assessments if item.verdict == "ready"]
        return len(ready) == len(self.assessments) and len(ready) >= self.desired

    @property
    def word(self) -> str:
        """Return the service's state in a word."""
        if not self.assessments:
            return "not created" if self.desired else "scaled to 0"
        bad = [item for item in self.assessments if item.verdict != "ready"]
        return (bad or list(self.assessments))[0].status

    @property
    def detail(self) -> str:
        """Return what the healthcheck last said, of a replica that is not well if there is one."""
        bad = [item for item in self.assessments if item.verdict != "ready"]
        chosen = (bad or list(self.assessments))[:1]
        return chosen[0].detail if chosen else ""

    @property
    def latency_ms(self) -> float | None:
        """Return how long the slowest probe took; None where the engine's own verdict was used."""
        known = [item.latency_ms for item in self.assessments if item.latency_ms is not None]
        return round(max(known), 1) if known else None

    def to_json(self) -> dict[str, object]:
        """Return the form that `status` prints."""
        return {
            "service": self.service,
            "containers": [_container(item) for item in self.assessments],
            "desired": self.desired,
            "running": self.running,
            "healthy": self.healthy,
        }

    def to_health_json(self) -> dict[str, object]:
        """Return the form that `health` prints."""
        return {
            "service": self.service,
            "healthy": self.healthy,
            "status": self.word,
            "latency_ms": self.latency_ms,
            "detail": self.detail,
        }


def _container(assessment: Assessment) -> dict[str, object]:
    container = assessment.container
    return {
        "name": container.name,
        "id": container.id,
        "state": container.state,
        "health": _health(assessment),
        "image": container.image,
        "started_at": container.started_at,
        "ports": [port.to_json() for port in container.ports],
    }


def _health(assessment: Assessment) -> str | None:
    """Return the health as proven just now; the engine's own word may be a whole interval old."""
    if assessment.container.health is None:
        return None
    return "healthy" if assessment.verdict == "ready" else assessment.container.health


def read_status(engine: Engine, project: Project, *, fresh: bool = False) -> tuple[ServiceStatus, ...]:
    """Look at every service; ``fresh`` runs each healthcheck even where the engine says healthy."""
    containers = sorted(observe_containers(engine, project.name), key=number_of)
    if fresh:
        containers = [_forget_verdict(container) for container in containers]
    return by_service(project, assess_all(engine, containers, limit=PROBE_SECONDS))


def by_service(project: Project, assessments: Sequence[Assessment]) -> tuple[ServiceStatus, ...]:
    """Sort looks at containers into the project's services."""
    return tuple(
        ServiceStatus(
            name, service.scale, tuple(item for item in assessments if service_of(item.container) == name)
        )
        for name, service in project.services.items()
    )


def _forget_verdict(container: Container) -> Container:
    from dataclasses import replace

    return replace(container, health="starting") if container.health == "healthy" else container
