"""Times on the command line: RFC 3339, Unix seconds, or an age."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from mcpctl.errors import ConfigError

AGE = r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?"
"""A text: patterns are compiled where they are used, for the sake of the start."""

SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="From a time, or an age like 10m.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to a time, or an age.")]


def moment(text: str | None) -> float | None:
    """Read a time (RFC 3339 or Unix seconds) or an age (``1h30m``) as Unix seconds."""
    from datetime import UTC, datetime

    if text is None:
        return None
    age = re.fullmatch(AGE, text)
    if age and any(age.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in age.groups())
        return datetime.now(UTC).timestamp() - (days * 86400 + hours * 3600 + minutes * 60 + seconds)
    try:
        if text.replace(".", "", 1).isdigit():
            return float(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is neither a time nor an age", hint="for example: --since 10m") from None
    return (moment if moment.tzinfo else moment.astimezone()).timestamp()
