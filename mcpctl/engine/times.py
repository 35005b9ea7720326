"""The engine's times: RFC 3339 with nanoseconds and a zone."""

from __future__ import annotations

import re
from datetime import datetime

_FRACTION = re.compile(r"\.(\d{1,6})\d*")


def parse(text: str) -> datetime:
    """Read one of the engine's times, to the microsecond."""
    return datetime.fromisoformat(_FRACTION.sub(lambda match: "." + match[1].ljust(6, "0"), text))
