"""`logs --follow`: lines as they come, over restarts, recreates and new replicas.

The engine ends a container's log stream when the container stops. So its events are listened to as well: what
starts is attached to again, from the line where it stopped. Every line is shown once.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from mcpctl.compose import labels
from mcpctl.engine.events import engine_time, listening
from mcpctl.engine.streams import logs
from mcpctl.engine.times import parse
from mcpctl.errors import McpctlError, NotFound
from mcpctl.stack.logs import ServiceLine
from mcpctl.stack.monitoring import chosen_containers
from mcpctl.stack.observe import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.events import Event
    from mcpctl.engine.types import Container, LogLine
    from mcpctl.stack.logs import LogRequest

QUEUE_LINES = 10_000
"""Lines that may wait between the engine and a slow terminal before the engine is made to wait."""
LINGER_SECONDS = 3.0
"""How long nothing may run before the stream ends: a restart of the only container takes a moment."""
TICK = 0.25
OVERLAP_SECONDS = 0.1
REMEMBERED_LINES = 2000


@dataclass(frozen=True, slots=True)
class Started:
    """A container has started."""

    container: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A container's log stream has ended."""

    container: str


Item = ServiceLine | Started | Ended | McpctlError


class Position:
    """How far one container's log is read. The last lines are remembered, to be known when they come again.

    The engine's `since` is no exact cut, and lines of stdout and stderr may be out of order by a little.
    """

    def __init__(self, since: float | None) -> None:
        self.started_at = ""
        self.since = since
        self._last: deque[LogLine] = deque(maxlen=REMEMBERED_LINES)

    def resume_at(self) -> float | None:
        """Return the time to read on from: a moment before the last line, if there was one."""
        if not self._last:
            return self.since
        first, last = (parse(line.timestamp).timestamp() for line in (self._last[0], self._last[-1]))
        return max(first, last - OVERLAP_SECONDS)

    def fresh(self, lines: Iterator[LogLine]) -> Iterator[LogLine]:
        """Yield the lines that were not seen before."""
        again = Counter(self._last)
        oldest = self._last[0].timestamp if self._last else ""
        for line in lines:
            if line.timestamp < oldest:
                continue
            if again[line]:
                again[line] -= 1
                continue
            self._last.append(line)
            yield line


@dataclass(slots=True)
class Follower:
    """One `logs --follow`; iterate over ``lines``."""

    engine: Engine
    project: Project
    request: LogRequest
    queue: Queue[Item] = field(default_factory=lambda: Queue(QUEUE_LINES))
    closed: Flag = field(default_factory=Flag)
    positions: dict[str, Position] = field(default_factory=dict[str, Position])
    attached: set[str] = field(default_factory=set[str])
    began: float = 0.0

    def lines(self) -> Iterator[ServiceLine]:
        """Yield lines until nothing has run for a moment."""
        self.began = engine_time(self.engine)
        own = [f"{labels.PROJECT}={self.project.name}", f"{labels.ONEOFF}=False"]
        with listening(self.engine, own, since=self.began, until=self.request.until) as events:
            self._thread(lambda: self._listen(events))
            for container in chosen_containers(self.engine, self.project, self.request.services):
                self._attach(container, first=True)
            try:
                yield from self._carry()
            finally:
                self.closed.set()

    def _carry(self) -> Iterator[ServiceLine]:
        quiet_since: float | None = None
        while True:
            try:
                item = self.queue.get(timeout=TICK)  # a wait without limit would keep Ctrl-C out
            except Empty:
                quiet_since = None if self.attached or self._runs() else quiet_since or time.monotonic()
                if quiet_since is not None and self._over(quiet_since):
                    return
                continue
            if isinstance(item, ServiceLine):
                yield item
            else:
                self._react(item)

    def _over(self, quiet_since: float) -> bool:
        never_ran = not any(position.started_at for position in self.positions.values())
        ends = never_ran or self.request.until is not None
        return ends or time.monotonic() - quiet_since >= LINGER_SECONDS

    def _runs(self) -> bool:
        """Tell whether a container runs, or will again; attach to what runs without a stream."""
        if self.request.until is not None:
            return False
        found = chosen_containers(self.engine, self.project, self.request.services)
        alive = [item for item in found if item.running or item.state == "restarting"]
        for item in alive:
            if item.running:
                self._attach(item)
        return bool(alive)

    def _react(self, item: Started | Ended | McpctlError) -> None:
        if isinstance(item, McpctlError):
            raise item
        if isinstance(item, Ended):
            self.attached.discard(item.container)
        container = self.engine.find_container(item.container)
        if container is None or not container.running or self.request.until is not None:
            return
        known = self.positions.get(container.id)
        anew = known is None or known.started_at != container.started_at
        if anew and service_of(container) in (self.request.services or {service_of(container)}):
            self._attach(container)

    def _attach(self, container: Container, *, first: bool = False) -> None:
        if container.id in self.attached:
            return
        request = self.request if first else replace(self.request, tail=None)
        position = self.positions.setdefault(container.id, Position(request.since))
        position.started_at = container.started_at if container.running else ""
        self.attached.add(container.id)
        request = replace(request, since=position.resume_at())
        self._thread(lambda: self._pump(container, position, request))
        if first and self.request.tail is not None:
            position.since = self.began  # lines that the tail left out stay left out

    def _pump(self, container: Container, position: Position, request: LogRequest) -> None:
        try:
            stream = logs(
                self.engine,
                container.id,
                tail=request.tail,
                since=request.since,
                until=request.until,
                follow=True,
            )
            for line in position.fresh(stream):
                self._put(ServiceLine(service_of(container), container.name, line))
        except NotFound:
            pass  # it was removed
        except McpctlError as error:
            self._put(error)
        finally:  # whatever ended it: nobody waits for a stream that is no more
            self._put(Ended(container.id))

    def _listen(self, events: Iterable[Event]) -> None:
        try:
            for event in events:
                if event.action == "start":
                    self._put(Started(event.container))
        except McpctlError as error:
            self._put(error)

    def _put(self, item: Item) -> None:
        while not self.closed.is_set():
            try:
                self.queue.put(item, timeout=1)
            except Full:
                continue
            return

    def _thread(self, work: Callable[[], None]) -> None:
        Thread(target=work, name="logs", daemon=True).start()


def follow_logs(engine: Engine, project: Project, request: LogRequest) -> Iterator[ServiceLine]:
    """Yield lines as they come, until every container has ended."""
    return Follower(engine, project, request).lines()
