"""How much was compared with the real docker compose; told at the end of a run, whichever process did it."""

from __future__ import annotations

from collections import Counter

COUNTS: Counter[str] = Counter()


def told() -> str:
    """Return the counts as one line, ``""`` where nothing was compared."""
    return ", ".join(f"{count} {what}" for what, count in sorted(COUNTS.items()))
