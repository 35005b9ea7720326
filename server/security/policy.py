"""Which tools and profiles this service lets anybody use, and how often."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from server.faults import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.registry import Tool
    from server.settings import Rate, Settings

_MOST_CALLERS: Final = 10_000


def check_tool(tool: Tool[Any, Any], settings: Settings) -> None:
    """Refuse a tool that the settings switch off: deny wins over allow, and read-only over both.

    Raises:
        Fault: FORBIDDEN, naming the setting that decided.
    """
    if any(_matches(tool, pattern) for pattern in settings.tools_deny):
        raise _forbidden(tool.name, "MCP_TOOLS_DENY")
    if not any(_matches(tool, pattern) for pattern in settings.tools_allow):
        raise _forbidden(tool.name, "MCP_TOOLS_ALLOW")
    if settings.aws_read_only and not tool.annotations.read_only:
        raise _forbidden(tool.name, "MCP_AWS_READ_ONLY")


def allowed_profile(name: str, settings: Settings) -> bool:
    """Tell whether callers may name this profile."""
    return any(fnmatchcase(name, pattern) for pattern in settings.aws_allowed_profiles)


def _matches(tool: Tool[Any, Any], pattern: str) -> bool:
    return fnmatchcase(tool.name, pattern) or fnmatchcase(tool.mcp_name, pattern)


def _forbidden(name: str, setting: str) -> Fault:
    return Fault(
        Code.FORBIDDEN,
        f"{name} is switched off by {setting}",
        hint=f"change {setting} and restart the service",
        details={"tool": name, "setting": setting},
    )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """Give each caller a bucket that refills evenly; ``clock`` counts seconds."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str) -> None:
        """Count one call.

        Raises:
            Fault: RATE_LIMITED, with ``retry_after_seconds`` in its details.
        """
        if self._rate is None:
            return
        now = self._clock()
        per_second = self._rate.calls / self._rate.seconds
        bucket = self._bucket(caller, now)
        bucket.tokens = min(self._rate.calls, bucket.tokens + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise _limited(self._rate, math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1

    def _bucket(self, caller: str, now: float) -> _Bucket:
        assert self._rate is not None  # noqa: S101 - narrows the type; take() has returned otherwise
        if caller not in self._buckets and len(self._buckets) >= _MOST_CALLERS:
            del self._buckets[min(self._buckets, key=lambda name: self._buckets[name].filled_at)]
        return self._buckets.setdefault(caller, _Bucket(self._rate.calls, now))


def _limited(rate: Rate, wait: int) -> Fault:
    return Fault(
        Code.RATE_LIMITED,
        f"more than {rate.calls} calls in {rate.seconds} s",
        hint="wait for Retry-After seconds, or raise MCP_RATE_LIMIT",
        details={"retry_after_seconds": wait},
        retryable=True,
    )
