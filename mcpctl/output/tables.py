"""Tables: drawn by Rich on a terminal, plain where another program reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.output.plain import PlainConsole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Marked:
    """A word and the colour that it has on a terminal."""

    word: str
    style: str

    def __str__(self) -> str:
        """Return the word alone."""
        return self.word


def table(
    console: Console | PlainConsole,
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    folded: Collection[str] = (),
) -> None:
    """Draw rows under headings; a cell that is `Marked` keeps its colour."""
    if isinstance(console, PlainConsole):
        console.table(headings, [[str(cell) for cell in row] for row in rows])
        return
    console.print(rich_table(headings, rows, folded=folded))


def rich_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, folded: Collection[str] = ()
) -> Table:
    """Return a table for a terminal; ``folded`` columns, else the last, are folded where there is no room."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        folds = heading in (folded or headings[-1:])
        drawn.add_column(heading, overflow="fold" if folds else "ellipsis", no_wrap=not folds)
    for row in rows:
        drawn.add_row(*(Text(str(cell), cell.style if isinstance(cell, Marked) else "") for cell in row))
    return drawn


def mark(ok: bool, good: str = "ok", bad: str = "no") -> Marked:
    """Return the word for a verdict, in its colour."""
    return Marked(good, "green") if ok else Marked(bad, "red")
