"""Answers that another program reads, written without Rich: loading it takes a tenth of a short command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from rich.console import Console

GAP = "   "
WIDTH_OF_A_PIPE = 10_000
"""What another program reads is not cut to the width of a terminal that is not there."""


class PlainConsole:
    """Takes the calls that views make of a Rich console; what is more than text goes to a real one."""

    width = WIDTH_OF_A_PIPE

    def __init__(self, stream: TextIO, rich: Callable[[], Console]) -> None:
        self._stream = stream
        self._rich = rich

    def print(self, *objects: object, end: str = "\n", **options: Any) -> None:
        """Write texts as they are, without style; let Rich draw anything else."""
        if all(isinstance(item, str) for item in objects):
            self._stream.write(f"{' '.join(str(item) for item in objects)}{end}")
        else:
            self._rich().print(*objects, end=end, **options)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write columns as wide as their widest line, as Rich draws them where nothing limits it."""
        lines = [headings, *(line for row in rows for line in _lines(row))]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        drawn = [
            GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
        ]
        drawn.insert(1, "─" * len(drawn[0]))
        self._stream.write("".join(f"{line.rstrip()}\n" for line in drawn))


def _lines(row: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a row as lines of text: a cell may hold several."""
    cells = [cell.splitlines() or [""] for cell in row]
    height = max(len(cell) for cell in cells)
    return [tuple(cell[at] if at < len(cell) else "" for cell in cells) for at in range(height)]
