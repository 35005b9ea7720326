"""The old target names, and where an alias may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from mcpctl.cli.aliases import ALIASES, GLOBALS_WITH_VALUE, expand
from mcpctl.cli.app import build_app

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["aws-validate"], ["aws", "validate"]),
        (["logs-backend", "--tail", "5"], ["logs", "backend", "--tail", "5"]),
        (["-C", "ps", "ps"], ["-C", "ps", "status"]),
        (["-q", "--file=ps", "ps", "-ojson"], ["-q", "--file=ps", "status", "-ojson"]),
        (["tools", "call", "tools-list"], ["tools", "call", "tools-list"]),
        (["status"], ["status"]),
        (["-C"], ["-C"]),
        ([], []),
    ],
)
def test_only_the_command_word_is_replaced(given: list[str], meant: list[str]) -> None:
    assert expand(given) == meant


def test_an_alias_answers_as_the_command_it_stands_for(run: Callable[..., Any]) -> None:
    document = run("aws-list-profiles", "-o", "json").json
    assert (document["command"], document["exit_code"]) == ("aws list-profiles", 0)


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_leads_to_a_command(alias: str, run: Callable[..., Any]) -> None:
    assert run(alias, "--help").exit_code == 0


def test_the_aliases_know_every_global_option_that_takes_a_value() -> None:
    root: Any = typer.main.get_command(build_app())
    flags = {"--quiet", "--verbose", "--no-color", "--version", "--install-completion", "--show-completion"}
    valued = [option for option in root.params if not flags & {*option.opts}]
    assert {name for option in valued for name in option.opts} == GLOBALS_WITH_VALUE


def test_help_does_not_list_the_aliases(run: Callable[..., Any]) -> None:
    shown = run("--help").stdout
    assert [alias for alias in ALIASES if f"  {alias} " in shown] == []


@pytest.mark.parametrize(
    ("words", "expanded"),
    [
        (["up", "-d", "web"], ["up", "web"]),
        (["-p", "x", "up", "--detach", "--build"], ["-p", "x", "up", "--build"]),
        (["ps", "-a"], ["status"]),
        (["run", "-d", "web"], ["run", "-d", "web"]),
        (["-p", "up", "logs", "-d"], ["-p", "up", "logs", "-d"]),
    ],
)
def test_flags_of_compose_that_go_without_saying_are_taken(words: list[str], expanded: list[str]) -> None:
    assert expand(words) == expanded
