"""logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption, ServicesArgument
from mcpctl.errors import ConfigError, ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Essential"
_AGE = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


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
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From a time, or an age like 10m.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to a time, or an age.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show each line's time.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show the containers' logs, merged by time."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.logs import LogRequest, follow_logs, read_logs

        request = LogRequest(tuple(services or ()), tail, _moment(since), _moment(until))
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


def _moment(text: str | None) -> float | None:
    """Read a time (RFC 3339 or Unix seconds) or an age (``1h30m``) as Unix seconds."""
    from datetime import UTC, datetime

    if text is None:
        return None
    age = _AGE.fullmatch(text)
    if age and any(age.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in age.groups())
        return datetime.now(UTC).timestamp() - (days * 86400 + hours * 3600 + minutes * 60 + seconds)
    try:
        if text.replace(".", "", 1).isdigit():
            return float(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is neither a time nor an age", hint="for example: --since 10m") from None
    return (moment if moment.tzinfo else moment.astimezone()).timestamp()
