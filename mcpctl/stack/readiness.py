"""Wait until containers are ready, without waiting for the engine's own healthcheck interval.

The engine runs a first check only after one interval (30 s in the shipped file). So the container's own
healthcheck command is run at once through ``exec``, with short back-off; the engine's verdict counts too,
whichever comes first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Literal, Protocol, cast

from mcpctl.engine.streams import ExecTimedOut, run_in_container
from mcpctl.errors import EngineFailed, NotFound
from mcpctl.stack.observe import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
GROWTH = 1.3
"""Pauses between looks grow slowly: most services come up within seconds, and none should wait for a look."""
SHORTEST_PROBE = 1.0
"""A last probe may outlive the deadline by this much: cut shorter, it would say nothing of the service."""
CRASH_LOOP_RESTARTS = 5
"""Restarts within one wait after which a container counts as crash looping."""
LAST_CHANCES = 2
"""Restarts that a crash looping container gets once nothing else is under way that it may be waiting for."""
SETTLED_SECONDS = 1.0
"""A container without a healthcheck is ready once its process has lived this long,"""
QUIET_SECONDS = 0.03
"""or so long where it does nothing but wait: what is still busy starting may yet fail."""

Verdict = Literal["ready", "waiting", "failed"]
Until = Literal["ready", "completed"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a wait is for. ``give_up_unhealthy`` takes the engine's ``unhealthy`` as the last word."""

    until: Until = "ready"
    give_up_unhealthy: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far one container is, in words for the live line."""

    container: Container
    verdict: Verdict
    status: str
    detail: str = ""
    latency_ms: float | None = None
    looping: bool = False


class Deadline:
    """The end of all waiting of one run. Its clock starts with the first container or the first wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end: float | None = None

    def left(self) -> float:
        """Return the seconds that are left, 0 at least; the first call starts the clock."""
        if self._end is None:
            self._end = time.monotonic() + self.seconds
        return max(self._end - time.monotonic(), 0.0)


class Watch(Protocol):
    """What is told while containers become ready; called from several threads."""

    def assessed(self, service: str, assessment: Assessment) -> None:
        """One container was looked at."""


def probe_command(container: Container) -> tuple[str, ...] | None:
    """Return the argument list of a container's healthcheck, or None where it has none.

    Forms: ``CMD`` runs as it is, ``CMD-SHELL`` through the image's shell (Dockerfile reference, HEALTHCHECK).
    """
    config = cast("Mapping[str, object]", container.raw["Config"])
    check = cast("Mapping[str, object]", config.get("Healthcheck") or {})
    test = tuple(cast("list[str]", check.get("Test") or []))
    if not test or test[0] == "NONE":
        return None
    if test[0] == "CMD-SHELL":
        shell = cast("list[str]", config.get("Shell") or ["/bin/sh", "-c"])
        return (*shell, test[1])
    return test[1:]


def probe_timeout(container: Container) -> float:
    """Return the healthcheck's own time limit in seconds (the engine's default is 30)."""
    check = cast("Mapping[str, int]", container.raw["Config"].get("Healthcheck") or {})
    return (check.get("Timeout") or 30_000_000_000) / 1e9


def assess(
    engine: Engine,
    container: Container,
    *,
    restarts_before: int = 0,
    limit: float = 30,
    until: Until = "ready",
    seen_for: float = 0,
) -> Assessment:
    """Look at one container once; ``limit`` bounds the probe in seconds.

    ``seen_for`` are the seconds for which the caller has seen its process live.
    """
    settled = _assess_process(container, restarts_before, until)
    if settled:
        return settled
    if container.health == "healthy":
        return Assessment(container, "ready", "healthy", _output(container))
    command = probe_command(container)
    return (
        _probe(engine, container, command, limit) if command else _assess_uptime(engine, container, seen_for)
    )


def _assess_process(container: Container, restarts_before: int, until: Until) -> Assessment | None:
    """Judge by the process alone; None where only its health can tell."""
    ended = container.state in {"exited", "dead"} and not _restarts(container)
    if ended and container.exit_code == 0:
        return Assessment(container, "ready", "completed")
    if ended:
        return Assessment(container, "failed", f"exited with {container.exit_code}", container.error)
    restarts = container.restart_count - restarts_before
    if restarts >= CRASH_LOOP_RESTARTS and not container.running:
        status = f"crash loop, {restarts} restarts"
        return Assessment(container, "waiting", status, f"exit {container.exit_code}", looping=True)
    if container.state != "running" or until == "completed":
        return Assessment(container, "waiting", container.state)
    return None


def _probe(engine: Engine, container: Container, command: tuple[str, ...], limit: float) -> Assessment:
    began = time.monotonic()
    try:
        result = run_in_container(
            engine, container.id, command, timeout=min(max(limit, SHORTEST_PROBE), probe_timeout(container))
        )
    except ExecTimedOut:
        return Assessment(container, "waiting", "unhealthy", "the healthcheck did not end in time")
    except (EngineFailed, NotFound) as error:  # it stopped or restarted under the probe
        return Assessment(container, "waiting", "starting", error.message)
    latency = (time.monotonic() - began) * 1000
    if result.exit_code == 0:
        return Assessment(container, "ready", "healthy", result.output.strip(), latency)
    status = "unhealthy" if container.health == "unhealthy" else "starting"
    return Assessment(container, "waiting", status, result.output.strip(), latency)


def at_first_sight(engine: Engine, container: Container) -> Assessment | None:
    """Return the verdict on a container that was just inspected; None where only a wait can tell."""
    if container.state != "running" or (container.health is None and probe_command(container)):
        return None
    if container.health == "healthy":
        return Assessment(container, "ready", "healthy", _output(container))
    settled = container.health is None and _age(engine, container) >= SETTLED_SECONDS
    return Assessment(container, "ready", "running") if settled else None


def _age(engine: Engine, container: Container) -> float:
    """Return the seconds since a process was started by the engine's clock, which need not be ours."""
    from mcpctl.engine.times import parse

    return (engine.now() - parse(container.started_at)).total_seconds()


def _assess_uptime(engine: Engine, container: Container, seen_for: float) -> Assessment:
    age = max(seen_for, _age(engine, container))
    if age >= SETTLED_SECONDS or (age >= QUIET_SECONDS and _quiet(engine, container)):
        return Assessment(container, "ready", "running")
    return Assessment(container, "waiting", "starting")


def _quiet(engine: Engine, container: Container) -> bool:
    """Tell whether all processes of a container sleep; where the engine cannot tell, it is not assumed."""
    try:
        states = engine.process_states(container.id)
    except (EngineFailed, NotFound):
        return False
    return bool(states) and all(state.startswith(("S", "I")) for state in states)


def _restarts(container: Container) -> bool:
    policy = cast("Mapping[str, object]", container.raw["HostConfig"].get("RestartPolicy") or {})
    name, most = policy.get("Name"), cast("int", policy.get("MaximumRetryCount") or 0)
    if name == "on-failure":
        return container.exit_code != 0 and (most == 0 or container.restart_count < most)
    return name in {"always", "unless-stopped"}


def _output(container: Container) -> str:
    return container.last_probe.output.strip() if container.last_probe else ""


def wait_ready(
    engine: Engine,
    containers: Iterable[Container],
    *,
    timeout: float,
    watch: Watch,
    wanted: Wanted = Wanted(),
    cancelled: Event | None = None,
) -> tuple[Assessment, ...]:
    """Wait until each container is as wanted or failed, at most ``timeout`` seconds; return the last looks.

    A failed one does not end the wait for the others; ``cancelled`` ends it for all.
    """
    items = list(containers)
    company = _Company({item.id for item in items})
    waiting = _Waiting(engine, time.monotonic() + timeout, watch, wanted, company)
    return _each(items, waiting.one, cancelled)


def assess_all(engine: Engine, containers: Iterable[Container], *, limit: float) -> tuple[Assessment, ...]:
    """Look at each container once, side by side."""
    items = list(containers)
    known = {item.id: look for item in items if (look := at_first_sight(engine, item))}
    rest = [item for item in items if item.id not in known]
    looks = _each(rest, lambda item, _stop: assess(engine, item, limit=limit))
    known |= {look.container.id: look for look in looks}
    return tuple(known[item.id] for item in items)


def _each(
    containers: Iterable[Container],
    look: Callable[[Container, Event], Assessment],
    cancelled: Event | None = None,
) -> tuple[Assessment, ...]:
    items = list(containers)
    if not items:
        return ()
    from concurrent.futures import ThreadPoolExecutor

    stop = cancelled or Event()
    with ThreadPoolExecutor(max_workers=len(items), thread_name_prefix="ready") as pool:
        futures = [pool.submit(look, item, stop) for item in items]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            stop.set()
            raise


class _Company:
    """Who is still on the way in one wait: a container that crashes may be waiting for one of them."""

    def __init__(self, members: set[str]) -> None:
        self._left = members
        self._lock = Lock()

    def leave(self, member: str) -> None:
        """Note that a container is ready, has failed, or only crashes."""
        with self._lock:
            self._left.discard(member)

    def gone(self) -> bool:
        """Tell whether nobody is on the way any more."""
        with self._lock:
            return not self._left


@dataclass(frozen=True, slots=True)
class _Waiting:
    engine: Engine
    deadline: float
    watch: Watch
    wanted: Wanted
    company: _Company

    def one(self, container: Container, stop: Event) -> Assessment:
        """Look at one container again and again, with growing pauses."""
        try:
            return self._until_settled(container, stop)
        finally:
            self.company.leave(container.id)

    def _until_settled(self, container: Container, stop: Event) -> Assessment:
        pause, life, chances = FIRST_PAUSE, _Life(), _Chances()
        while True:
            found = self.engine.find_container(container.id)
            if found is None:
                return Assessment(container, "failed", "removed", "the container is gone")
            left = self.deadline - time.monotonic()
            assessment = assess(
                self.engine,
                found,
                restarts_before=container.restart_count,
                limit=left,
                until=self.wanted.until,
                seen_for=life.seen(found),
            )
            if assessment.looping:
                self.company.leave(container.id)
                if chances.used_up(found.restart_count, alone=self.company.gone()):
                    assessment = replace(assessment, verdict="failed")
            elif self.wanted.give_up_unhealthy and _unhealthy(assessment):
                assessment = replace(assessment, verdict="failed", status="unhealthy")
            self.watch.assessed(service_of(found), assessment)
            if assessment.verdict != "waiting" or stop.wait(min(pause, max(left, 0))):
                return assessment
            if time.monotonic() >= self.deadline:
                return assessment
            pause = min(pause * GROWTH, LONGEST_PAUSE)


def _unhealthy(assessment: Assessment) -> bool:
    return assessment.verdict == "waiting" and assessment.container.health == "unhealthy"


@dataclass(slots=True)
class _Life:
    """For how long one process has been seen to live, by our own clock."""

    started_at: str = ""
    since: float = 0

    def seen(self, container: Container) -> float:
        if not container.running:
            self.started_at = ""
            return 0
        if self.started_at != container.started_at:
            self.started_at, self.since = container.started_at, time.monotonic()
        return time.monotonic() - self.since


@dataclass(slots=True)
class _Chances:
    """How often a crash looping container was restarted while there was nothing left to wait for."""

    from_restart: int | None = None

    def used_up(self, restarts: int, *, alone: bool) -> bool:
        if not alone:
            self.from_restart = None
            return False
        if self.from_restart is None:
            self.from_restart = restarts
        return restarts >= self.from_restart + LAST_CHANCES
