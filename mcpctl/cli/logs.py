"""logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption, ServicesArgument
from mcpctl.cli.times import SinceOption, UntilOption, moment
from mcpctl.errors import UsageFault
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
        str, typer.Option("--tail", "-n", metavar="N", help="Only the last N of each container, or all.")
    ] = "all",
    since: SinceOption = None,
    until: UntilOption = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show each line's time.")] = False,
    no_log_prefix: Annotated[bool, typer.Option("--no-log-prefix", help="The lines alone.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show the containers' logs, merged by time.

    With --follow it goes on over restarts and recreates, until all have stopped or Ctrl-C.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output.logs import LogView
        from mcpctl.stack.follow import follow_logs
        from mcpctl.stack.logs import LogRequest, read_logs

        runtime.writer.color = runtime.writer.color and not no_color
        project = runtime.project
        request = LogRequest(tuple(services or ()), _count(tail), moment(since), moment(until))
        if not follow and output is Format.JSON:
            return Outcome(
                {"lines": [line.to_json() for line in read_logs(runtime.engine, project, request)]}
            )
        view = LogView(
            runtime.writer,
            tuple(services or project.services),
            timestamps=timestamps,
            prefix=not no_log_prefix,
        )
        for line in (follow_logs if follow else read_logs)(runtime.engine, project, request):
            view.line(line.to_json())
        return Outcome({})

    if not follow and output is Format.JSON:
        frame.answer(context, output, run)
    else:
        frame.stream(context, output, run)


def _count(tail: str) -> int | None:
    """Read a number of lines; None stands for all of them, as -1 does with docker compose."""
    if tail in {"all", "-1"}:
        return None
    if not tail.isdigit():
        raise UsageFault(f"--tail {tail!r} is no number of lines", hint="for example: --tail 50, or all")
    return int(tail)
