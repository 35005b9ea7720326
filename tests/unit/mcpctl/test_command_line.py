"""Building only the command that is asked for, and taking plain values, change nothing but the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.core import TyperArgument, TyperOption
from typer.exceptions import TyperException

from mcpctl.cli import values
from mcpctl.cli.app import build_app, build_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHOLE: Any = typer.main.get_command(build_app())
COMMAND_LINES = [
    ["up", "web", "db", "--scale", "web=2", "-t", "3", "--wait-timeout", "2.5", "--no-wait", "-o", "json"],
    ["-C", "some/folder", "-p", "name", "--profile", "a", "--profile", "b", "status"],
    ["up", "-t", "1.5"],
    ["up", "-t", "-1", "--wait-timeout", "7"],
    ["up", "-t", "٣", "--wait-timeout", ".5"],
    ["up", "--wait-timeout", "1e3"],
    ["up", "--wait-timeout", "soon"],
    ["status", "-o", "xml"],
    ["down", "--rmi"],
    ["tools", "call"],
    ["aws", "nonsense"],
    ["serve", "--port", "x"],
]


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, below in getattr(command, "commands", {}).items():
        yield (*path, name)
        yield from leaves(below, (*path, name))


def at(command: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        command = command.commands[name]
    return command


@pytest.mark.parametrize("path", list(leaves(WHOLE)), ids=" ".join)
def test_a_command_built_alone_is_the_one_of_the_whole(path: tuple[str, ...]) -> None:
    alone, whole = at(build_command(["--quiet", *path]), path), at(WHOLE, path)
    assert [(item.name, item.opts, item.nargs) for item in alone.params] == [
        (item.name, item.opts, item.nargs) for item in whole.params
    ]


def test_only_the_named_command_is_built() -> None:
    only: Any = build_command(["-p", "up", "status"])
    assert list(only.commands) == ["status"]


@pytest.mark.parametrize("words", [[], ["--help"], ["nonsense"], ["-p"]])
def test_without_a_known_command_all_are_built(words: list[str]) -> None:
    whole: Any = build_command(words)
    assert list(whole.commands) == list(WHOLE.commands)


def parsed(words: list[str]) -> list[dict[str, Any]] | str:
    """Return the parameters of each level, or the usage error."""
    found: list[dict[str, Any]] = []
    command: Any = typer.main.get_command(build_app())
    try:
        context = command.make_context("mcpctl", list(words))
        while True:
            found.append({key: (value, type(value)) for key, value in context.params.items()})
            rest = [*context._protected_args, *context.args]
            if not rest or not hasattr(context.command, "commands"):
                return found
            name, below, rest = context.command.resolve_command(context, rest)
            context = below.make_context(name, rest, parent=context)
    except TyperException as error:
        return str(error.format_message())


@pytest.fixture
def typers_own(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that puts Typer's own validators back for the rest of the test."""

    def restore() -> None:
        for kind in (TyperOption, TyperArgument):
            current: Any = getattr(kind, values.BUILDER)
            if current.__module__ == values.__name__:
                monkeypatch.setattr(kind, values.BUILDER, current.__wrapped__)

    return restore


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_plain_values_are_what_typer_would_make_of_them(
    words: list[str], typers_own: Callable[[], None]
) -> None:
    values.take_plain_values()
    ours = parsed(words)
    typers_own()
    assert ours == parsed(words)


def test_typer_still_has_the_place_that_the_short_way_takes() -> None:
    values.take_plain_values()
    assert getattr(TyperOption, values.BUILDER).__module__ == values.__name__
