"""`logs`: the lines of several containers, merged by time or followed live."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING

from mcpctl.engine.streams import logs
from mcpctl.errors import McpctlError
from mcpctl.stack.observe import number_of, observe_containers, service_of
from mcpctl.stack.order import require_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container, LogLine

QUEUE_LINES = 10_000
"""Lines that may wait between the engine and a slow terminal before the engine is made to wait."""


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
        _lines(engine, container, request, follow=False) for container in _chosen(engine, project, request)
    ]
    yield from heapq.merge(*streams, key=lambda item: item.line.timestamp)


def follow_logs(engine: Engine, project: Project, request: LogRequest) -> Iterator[ServiceLine]:
    """Yield lines as they come, until every container has ended."""
    containers = _chosen(engine, project, request)
    queue: Queue[ServiceLine | McpctlError | None] = Queue(QUEUE_LINES)
    for container in containers:
        Thread(target=_pump, args=(engine, container, request, queue), daemon=True).start()
    open_streams = len(containers)
    while open_streams:
        try:
            item = queue.get(timeout=1)  # a wait without limit could not be interrupted by Ctrl-C
        except Empty:
            continue
        if item is None:
            open_streams -= 1
        elif isinstance(item, McpctlError):
            raise item
        else:
            yield item


def _pump(
    engine: Engine, container: Container, request: LogRequest, queue: Queue[ServiceLine | McpctlError | None]
) -> None:
    try:
        for line in _lines(engine, container, request, follow=True):
            queue.put(line)
    except McpctlError as error:
        queue.put(error)
    queue.put(None)


def _chosen(engine: Engine, project: Project, request: LogRequest) -> list[Container]:
    for name in request.services:
        require_service(project, name)
    wanted = request.services or tuple(project.services)
    found = [item for item in observe_containers(engine, project.name) if service_of(item) in wanted]
    return sorted(found, key=lambda item: (service_of(item), number_of(item)))


def _lines(
    engine: Engine, container: Container, request: LogRequest, *, follow: bool
) -> Iterator[ServiceLine]:
    for line in logs(
        engine, container.id, tail=request.tail, since=request.since, until=request.until, follow=follow
    ):
        yield ServiceLine(service_of(container), container.name, line)
