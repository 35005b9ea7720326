"""Write `commands.md` from the command line itself: `python docs/reference/generate.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

from mcpctl.cli.aliases import ALIASES
from mcpctl.cli.app import CONTEXT, build_app

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).with_name("commands.md")
WIDTH = 100
INTRODUCTION = """\
# Commands

Written by `docs/reference/generate.py` from the command line itself; a test fails when this file is behind.

Options of `mcpctl` itself stand before the command (`mcpctl -C project status`), those of a command after it
(`mcpctl status -o json`). See also [exit-codes.md](exit-codes.md) and [json.md](json.md).

| command | what it does |
|---|---|
"""
ALIAS_HEADING = """
## Aliases

They work as commands, but help does not list them.

| alias | stands for |
|---|---|
"""
EXAMPLES = {
    "plan": "mcpctl plan backend",
    "config": "mcpctl config -o json",
    "": "mcpctl -C ~/mcp-router --host tcp://127.0.0.1:2375 status",
    "quick-start": "mcpctl quick-start --yes --sandbox",
    "build": "mcpctl build backend --explain",
    "up": "mcpctl up --pull always --wait-timeout 300",
    "rebuild": "mcpctl rebuild backend --no-cache",
    "start": "mcpctl start backend",
    "stop": "mcpctl stop --timeout 60",
    "restart": "mcpctl restart backend --no-deps",
    "down": "mcpctl down --volumes --dry-run",
    "status": "mcpctl status -o json",
    "logs": "mcpctl logs backend --follow --since 10m",
    "health": "mcpctl health",
    "stats": "mcpctl stats --no-stream",
    "top": "mcpctl top backend",
    "events": "mcpctl events --since 10m -o json",
    "inspect": "mcpctl inspect --security",
    "exec": "mcpctl exec -T backend python3 -V",
    "run": "mcpctl run --rm --no-deps backend id",
    "shell": "mcpctl shell backend",
    "tools list": "mcpctl tools list --url http://127.0.0.1:8000",
    "tools call": "mcpctl tools call aws/validate-credentials profile=dev",
    "test": "mcpctl test unit docs",
    "serve": "mcpctl serve --sandbox --port 8001",
    "doctor": "mcpctl doctor",
    "engine info": "mcpctl --context default engine info",
    "engine install": "mcpctl engine install --dry-run",
    "engine start": "mcpctl engine start",
    "clean": "mcpctl clean --yes",
    "clean images": "mcpctl clean images --dry-run",
    "clean all": "mcpctl clean all --volumes",
    "aws validate": "mcpctl aws validate -o json",
    "aws list-profiles": "mcpctl aws list-profiles",
    "aws account-info": "mcpctl aws account-info",
    "aws test": "mcpctl aws test",
}


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its words, in the order of the help."""
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        group = hasattr(command, "commands")
        if not command.hidden and (not group or command.invoke_without_command):
            yield words, command
        if group:
            yield from commands(command, words)


def page() -> str:
    """Return the text of `commands.md`."""
    root: Any = typer.main.get_command(build_app())
    known = list(commands(root))
    rows = "".join(_row(words, command) for words, command in known)
    parts = [INTRODUCTION + rows, _section("", root), *(_section(words, command) for words, command in known)]
    aliases = "".join(f"| `{alias}` | `{' '.join(words)}` |\n" for alias, words in ALIASES.items())
    return "".join(parts) + ALIAS_HEADING + aliases


def _row(words: str, command: Any) -> str:
    anchor = f"mcpctl-{words}".replace(" ", "-")
    return f"| [`{words}`](#{anchor}) | {str(command.help).splitlines()[0]} |\n"


def _section(words: str, command: Any) -> str:
    name = f"mcpctl {words}".strip()
    settings: Any = {**CONTEXT, "terminal_width": WIDTH, "resilient_parsing": True}
    context = command.make_context(name, [], **settings)
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"\n## {name}\n\n```text\n{text}\n```\n\nExample: `{EXAMPLES[words]}`\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
