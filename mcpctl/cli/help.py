"""Help in plain text, the commands grouped by what they are for.

Rich's help costs as much time as everything else together, so it is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from mcpctl.errors import UsageFault

if TYPE_CHECKING:
    import typer

OTHER = "Commands"


class Group(TyperGroup):
    """A command group whose help lists its commands in the order and under the headings they were given."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride] - the parser's context class is private
        """Return the commands in the order of their registration."""
        del ctx  # the order does not depend on it
        return list(self.commands)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the parser's classes are private
        """Write one section for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.commands[name]
            if not command.hidden:
                heading = getattr(command, "rich_help_panel", None) or OTHER
                sections.setdefault(str(heading), []).append((name, str(command.get_short_help_str(70))))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


def refuse_options_before_subcommand(context: typer.Context) -> None:
    """Refuse options of a group that is a command too: `clean --dry-run all` must not clean for real.

    Raises:
        UsageFault: an option stands before the subcommand (exit 2).
    """
    given = [
        option
        for option in context.command.params
        if option.name and str(context.get_parameter_source(option.name)).endswith("COMMANDLINE")
    ]
    if given:
        words = f"{context.command_path} {context.invoked_subcommand}"
        flag = given[0].opts[0]
        raise UsageFault(f"{flag} stands before {context.invoked_subcommand}", hint=f"{words} {flag}")
