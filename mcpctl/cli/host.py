"""doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.host.check import Check
    from mcpctl.runtime import Runtime

PANEL = "Host"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("doctor", rich_help_panel=PANEL)(doctor)


def doctor(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Check the machine and the project.

    Each finding names the command that mends it.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.doctor import diagnose_machine
        from mcpctl.output import views

        found = diagnose_machine(runtime)
        data: dict[str, object] = {"checks": [check.to_json() for check in found]}
        return Outcome(data, lambda console: views.checks(console, data), _exit_code(found))

    frame.answer(context, output, run)


def _exit_code(found: Iterable[Check]) -> ExitCode:
    """Return the exit code of the first finding that stops the work."""
    codes = {"engine": ExitCode.ENGINE_UNREACHABLE, "project": ExitCode.CONFIG_INVALID}
    bad = [check for check in found if not check.ok and check.level == "error"]
    return codes.get(bad[0].name, ExitCode.FAILED) if bad else ExitCode.OK
