"""A table for a program reads like the one that Rich draws."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console
from rich.panel import Panel

from mcpctl.output.plain import PlainConsole
from mcpctl.output.tables import mark, table

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES: list[tuple[Sequence[str], list[Sequence[object]]]] = [
    (("name", "state"), [("web", mark(True)), ("a longer one", mark(False, "up", "down"))]),
    (("heading", "x"), []),
    (("service", "ports", "last"), [("web", "one\ntwo", "end"), ("", "", "")]),
    (("n", "m"), [(1, None), ("[bold]no markup[/bold]", "ü")]),
]


def drawn_by_rich(headings: Sequence[str], rows: list[Sequence[object]]) -> list[str]:
    console = Console(file=io.StringIO(), width=10_000, color_system=None, markup=False, emoji=False)
    table(console, headings, rows)
    return [line.rstrip() for line in cast("io.StringIO", console.file).getvalue().splitlines()]


def plain(stream: io.StringIO) -> PlainConsole:
    return PlainConsole(stream, lambda: Console(file=stream, width=40))


@pytest.mark.parametrize(("headings", "rows"), TABLES)
def test_a_plain_table_has_the_lines_of_richs(headings: Sequence[str], rows: list[Sequence[object]]) -> None:
    stream = io.StringIO()
    table(plain(stream), headings, rows)
    lines = stream.getvalue().splitlines()
    assert lines == drawn_by_rich(headings, rows)
    assert all(line == line.rstrip() for line in lines)


def test_plain_text_is_written_as_it_is() -> None:
    stream = io.StringIO()
    plain(stream).print("[red]not markup[/red] :smile:", style="bold", soft_wrap=True)
    plain(stream).print()
    assert stream.getvalue() == "[red]not markup[/red] :smile:\n\n"


def test_what_is_more_than_text_is_drawn_by_rich() -> None:
    stream = io.StringIO()
    plain(stream).print(Panel("inside"))
    assert "│ inside" in stream.getvalue()
