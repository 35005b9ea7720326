"""`logs`: the lines of several containers, merged by time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine.streams import logs
from mcpctl.stack.monitoring import chosen_containers
from mcpctl.stack.observe import service_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container, LogLine


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Which lines to read; ``since`` and ``until`` are Unix times."""

    services: tuple[str, ...] = ()
    tail: int | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One log line and where it is from."""

    service: str
    container: str
    line: LogLine

    def to_json(self) -> dict[str, object]:
        """Return the form that `logs -o json` prints."""
        return {
            "service": self.service,
            "container": self.container,
            "stream": self.line.stream,
            "timestamp": self.line.timestamp,
            "text": self.line.text,
        }


def read_logs(engine: Engine, project: Project, request: LogRequest) -> Iterator[ServiceLine]:
    """Yield all lines so far, merged by time."""
    streams = [
        _lines(engine, container, request)
        for container in chosen_containers(engine, project, request.services)
    ]
    yield from heapq.merge(*streams, key=lambda item: item.line.timestamp)


def _lines(engine: Engine, container: Container, request: LogRequest) -> Iterator[ServiceLine]:
    for line in logs(engine, container.id, tail=request.tail, since=request.since, until=request.until):
        yield ServiceLine(service_of(container), container.name, line)
