"""One attempt for all threads that want its result."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Attempt(Generic[Result]):
    """Makes something when it is first asked for; a failure is shared by those who waited for it."""

    def __init__(self, make: Callable[[], Result]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: list[Result] = []
        self._failed: tuple[float, McpctlError] | None = None

    def result(self) -> Result:
        """Return what was made, trying again only if the last failure is older than this question."""
        if self._made:
            return self._made[0]
        asked_at = monotonic()
        with self._lock:
            if not self._made:
                self._try(asked_at)
        return self._made[0]

    def _try(self, asked_at: float) -> None:
        if self._failed and self._failed[0] >= asked_at:
            raise self._failed[1]
        try:
            self._made.append(self._make())
        except McpctlError as error:
            self._failed = (monotonic(), error)
            raise
