"""logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption, ServicesArgument
from mcpctl.cli.times import SinceOption, UntilOption, moment
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("logs", rich_help_panel=PANEL)(logs)


def logs(
    context: typer.Context,
    services: ServicesArgument = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", help="Only the last N of each container.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show each line's time.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show the containers' logs, merged by time."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.logs import LogRequest, follow_logs, read_logs

        request = LogRequest(tuple(services or ()), tail, moment(since), moment(until))
        if not follow and output is Format.JSON:
            lines = [line.to_json() for line in read_logs(runtime.engine, runtime.project, request)]
            return Outcome({"lines": lines})
        stream = (follow_logs if follow else read_logs)(runtime.engine, runtime.project, request)
        show = views.LogView(runtime.writer, timestamps=timestamps)
        for line in stream:
            show.line(line.to_json())
        return Outcome({}, exit_code=ExitCode.OK, show=None)

    if follow and output is Format.JSON:
        frame.stream(context, output, run)
    else:
        frame.answer(context, output, run)
