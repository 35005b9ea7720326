"""The engine's times: RFC 3339 with nanoseconds and a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FRACTION = re.compile(r"\.(\d{1,6})\d*")


def parse(text: str) -> datetime:
    """Read one of the engine's times, to the microsecond."""
    return datetime.fromisoformat(_FRACTION.sub(lambda match: "." + match[1].ljust(6, "0"), text))


def seconds_since(text: str) -> float:
    """Return the seconds from one of the engine's times to now, by this machine's clock."""
    return (datetime.now(UTC) - parse(text)).total_seconds()
