"""Wait until containers are ready, without waiting for the engine's own healthcheck interval.

The engine runs a first check only after one interval (30 s in the shipped file). So the container's own
healthcheck command is run at once through ``exec``, with short back-off; the engine's verdict counts too,
whichever comes first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event
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
SHORTEST_PROBE = 1.0
"""A last probe may outlive the deadline by this much: cut shorter, it would say nothing of the service."""
CRASH_LOOP_RESTARTS = 5
"""Restarts within one wait after which a container that keeps failing is given up."""
SETTLED_SECONDS = 1.0
"""A container without a healthcheck is ready once its process has lived this long."""

Verdict = Literal["ready", "waiting", "failed"]
Until = Literal["ready", "completed"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far one container is, in words for the live line."""

    container: Container
    verdict: Verdict
    status: str
    detail: str = ""
    latency_ms: float | None = None


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
) -> Assessment:
    """Look at one container once; ``limit`` bounds the probe in seconds."""
    settled = _assess_process(container, restarts_before, until)
    if settled:
        return settled
    if container.health == "healthy":
        return Assessment(container, "ready", "healthy", _output(container))
    command = probe_command(container)
    return _probe(engine, container, command, limit) if command else _assess_uptime(container)


def _assess_process(container: Container, restarts_before: int, until: Until) -> Assessment | None:
    """Judge by the process alone; None where only its health can tell."""
    ended = container.state in {"exited", "dead"} and not _restarts(container)
    if ended and container.exit_code == 0:
        return Assessment(container, "ready", "completed")
    if ended:
        return Assessment(container, "failed", f"exited with {container.exit_code}", container.error)
    restarts = container.restart_count - restarts_before
    if restarts >= CRASH_LOOP_RESTARTS and container.exit_code:
        return Assessment(
            container, "failed", f"crash loop, {restarts} restarts", f"exit {container.exit_code}"
        )
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


def _assess_uptime(container: Container) -> Assessment:
    from mcpctl.engine.times import seconds_since

    if seconds_since(container.started_at) >= SETTLED_SECONDS:
        return Assessment(container, "ready", "running")
    return Assessment(container, "waiting", "starting")


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
    until: Until = "ready",
    cancelled: Event | None = None,
) -> tuple[Assessment, ...]:
    """Wait until each container is as wanted or failed, at most ``timeout`` seconds; return the last looks.

    A failed one does not end the wait for the others; ``cancelled`` ends it for all.
    """
    waiting = _Waiting(engine, time.monotonic() + timeout, watch, until)
    return _each(containers, waiting.one, cancelled)


def assess_all(engine: Engine, containers: Iterable[Container], *, limit: float) -> tuple[Assessment, ...]:
    """Look at each container once, side by side."""
    items = list(containers)
    if all(
        item.health == "healthy" for item in items
    ):  # the engine has said it all: there is nothing to wait for
        return tuple(assess(engine, item, limit=limit) for item in items)
    return _each(items, lambda item, _stop: assess(engine, item, limit=limit))


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    engine: Engine
    deadline: float
    watch: Watch
    until: Until

    def one(self, container: Container, stop: Event) -> Assessment:
        """Look at one container again and again, with growing pauses."""
        pause = FIRST_PAUSE
        while True:
            found = self.engine.find_container(container.id)
            if found is None:
                return Assessment(container, "failed", "removed", "the container is gone")
            left = self.deadline - time.monotonic()
            assessment = assess(
                self.engine, found, restarts_before=container.restart_count, limit=left, until=self.until
            )
            self.watch.assessed(service_of(found), assessment)
            if assessment.verdict != "waiting" or stop.wait(min(pause, max(left, 0))):
                return assessment
            if time.monotonic() >= self.deadline:
                return assessment
            pause = min(pause * 1.6, LONGEST_PAUSE)
