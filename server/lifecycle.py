"""The life of the service: starting, ready, draining, degraded; what is in flight; when it may stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from typing import TYPE_CHECKING, Final, Literal

from server.faults import Code, Fault
from server.observe.logs import event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from server.loading import Loaded

logger = logging.getLogger(__name__)
_LOADING_SWITCH_SECONDS: Final = 0.0005
Status = Literal["starting", "ready", "draining", "degraded"]


class Lifecycle:
    """Load the slow parts behind a service that already answers, and let it end without losing a call."""

    def __init__(self, load: Callable[[], Loaded]) -> None:
        self._load = load
        self._loaded: Loaded | None = None
        self._failed = False
        self._draining = False
        self._settled = asyncio.Event()
        self._stop = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._in_flight = 0
        self._born = time.monotonic()

    @property
    def status(self) -> Status:
        """Return what ``/ready`` tells."""
        if self._draining:
            return "draining"
        if self._failed:
            return "degraded"
        return "ready" if self._loaded else "starting"

    @property
    def uptime_seconds(self) -> float:
        """Return the seconds since the application was made."""
        return round(time.monotonic() - self._born, 3)

    @property
    def in_flight(self) -> int:
        """Return how many requests are being answered, streams that only listen not counted."""
        return self._in_flight

    async def run(self) -> None:
        """Load in a thread, then keep the MCP sessions alive until ``stop``."""
        try:
            with _patient_imports():
                loaded = await asyncio.to_thread(self._load)
            async with loaded.sessions.run():
                self._loaded = loaded
                self._settled.set()
                event(
                    logger,
                    logging.INFO,
                    "ready",
                    seconds=self.uptime_seconds,
                    tools=len(loaded.executor.registry),
                )
                await self._stop.wait()
            loaded.executor.close()
        except Exception:
            self._failed = True
            self._settled.set()
            logger.exception("the tools could not be loaded")

    def stop(self) -> None:
        """End every MCP session and stream, and start no more calls."""
        self._stop.set()

    async def loaded(self) -> Loaded:
        """Return the loaded parts, waiting for them while the service starts.

        Raises:
            Fault: DRAINING when the service is ending, INTERNAL when loading failed.
        """
        if self._draining:
            raise Fault(
                Code.DRAINING,
                "the service is shutting down",
                hint="send the call to another replica, or again in a few seconds",
                retryable=True,
            )
        await self._settled.wait()
        if self._loaded is None:
            raise Fault(
                Code.INTERNAL, "the tools could not be loaded", hint="the service's log has the reason"
            )
        return self._loaded

    @contextlib.contextmanager
    def answering(self) -> Generator[None]:
        """Count one request as in flight."""
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if self._in_flight == 0:
                self._idle.set()

    async def drain(self, seconds: float) -> bool:
        """Refuse new calls, wait at most ``seconds`` for those in flight, then end the streams.

        Returns whether every call in flight was answered.
        """
        self._draining = True
        event(logger, logging.INFO, "draining", in_flight=self._in_flight, limit_seconds=seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        event(logger, logging.INFO, "drained", in_flight=self._in_flight)
        self.stop()
        return self._in_flight == 0


@contextlib.contextmanager
def _patient_imports() -> Generator[None]:
    """Let the event loop in between the imports of the loading thread: ``/health`` answers meanwhile."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_LOADING_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
