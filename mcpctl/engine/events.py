"""What happens to containers, as the engine tells it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcpctl.engine.failures import translated

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from mcpctl.engine.client import Engine


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a container; ``time`` is RFC 3339 with nanoseconds."""

    time: str
    action: str
    container: str
    attributes: Mapping[str, str]


@contextmanager
def listening(
    engine: Engine,
    labels: Iterable[str],
    *,
    since: float | None = None,
    until: float | None = None,
) -> Generator[Iterator[Event]]:
    """Give the events of containers that carry all of ``labels``, for ever or up to ``until``.

    ``since`` and ``until`` are Unix times. Leaving the context ends the stream in whatever thread reads it.
    """
    filters = {"type": ["container"], "label": list(labels)}
    with translated(engine.endpoint, "listening to events"):
        stream = engine.api.events(
            since=None if since is None else f"{since:.9f}",
            until=None if until is None else f"{until:.9f}",
            filters=filters,
            decode=True,
        )
    try:
        yield _read(engine, stream)
    finally:
        stream.close()


def _read(engine: Engine, stream: Any) -> Iterator[Event]:
    with translated(engine.endpoint, "listening to events"):
        for raw in stream:
            actor = raw["Actor"]
            yield Event(moment(raw["timeNano"]), raw["Action"], actor["ID"], actor["Attributes"])


def moment(nanoseconds: int) -> str:
    """Return a Unix time in nanoseconds as RFC 3339, as logs have it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def engine_time(engine: Engine) -> float:
    """Return the engine's own Unix time: its clock need not be this machine's."""
    from mcpctl.engine.times import parse

    with translated(engine.endpoint, "asking the engine for its time"):
        return parse(str(engine.api.info()["SystemTime"])).timestamp()
