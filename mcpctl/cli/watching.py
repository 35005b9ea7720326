"""stats, top, events, inspect."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption, ServicesArgument
from mcpctl.cli.times import SinceOption, UntilOption, moment
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Monitoring"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("stats", rich_help_panel=PANEL)(stats)
    app.command("top", rich_help_panel=PANEL)(top)
    app.command("events", rich_help_panel=PANEL)(events)
    app.command("inspect", rich_help_panel=PANEL)(inspect)


def stats(
    context: typer.Context,
    services: ServicesArgument = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="One sample, then end.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show what each running container uses.

    On a terminal the table goes on until Ctrl-C; anywhere else it is one sample.
    """

    def once(runtime: Runtime) -> Outcome:
        from mcpctl.output import monitoring
        from mcpctl.stack.monitoring import read_usage

        found = read_usage(runtime.engine, runtime.project, services or ())
        data: dict[str, object] = {"containers": [item.to_json() for item in found]}
        return Outcome(data, lambda console: monitoring.usage(console, data))

    def live(runtime: Runtime) -> Outcome:
        from mcpctl.output.monitoring import LiveUsage
        from mcpctl.stack.monitoring import follow_usage

        stream = follow_usage(runtime.engine, runtime.project, services or ())
        with LiveUsage(runtime.writer) as view:
            for sample in stream:
                view.show([item.to_json() for item in sample])
        return Outcome({})

    if output is Format.JSON or no_stream or not sys.stdout.isatty():
        frame.answer(context, output, once)
    else:
        frame.stream(context, output, live)


def top(
    context: typer.Context, services: ServicesArgument = None, output: OutputOption = Format.HUMAN
) -> None:
    """Show the processes of each running container."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import monitoring
        from mcpctl.stack.monitoring import read_processes

        found = read_processes(runtime.engine, runtime.project, services or ())
        data: dict[str, object] = {"containers": [item.to_json() for item in found]}
        return Outcome(data, lambda console: monitoring.processes(console, data))

    frame.answer(context, output, run)


def events(
    context: typer.Context,
    services: ServicesArgument = None,
    since: SinceOption = None,
    until: UntilOption = None,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show what happens to the containers, as it happens.

    It goes on until Ctrl-C, or up to the time of --until.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output.monitoring import EventView
        from mcpctl.stack.monitoring import project_events

        project = runtime.project
        view = EventView(runtime.writer, tuple(project.services))
        for event in project_events(
            runtime.engine, project, services or (), since=moment(since), until=moment(until)
        ):
            view.show(event)
        return Outcome({})

    frame.stream(context, output, run)


def inspect(
    context: typer.Context,
    services: ServicesArgument = None,
    security: Annotated[
        bool, typer.Option("--security", help="Check each container against hardening rules.")
    ] = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Do not mask secrets.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show what the containers are made of.

    With --security: what they may do and need not; exit 1 unless every rule is kept.
    """

    def whole(runtime: Runtime) -> Outcome:
        from mcpctl.output import inspection
        from mcpctl.stack.inspection import inspect_containers

        found = inspect_containers(runtime.engine, runtime.project, services or (), show_secrets=show_secrets)
        data: dict[str, object] = {"containers": found}
        return Outcome(data, lambda console: inspection.containers(console, data))

    def checked(runtime: Runtime) -> Outcome:
        from mcpctl.output import inspection
        from mcpctl.stack.inspection import check_security

        found = check_security(runtime.engine, runtime.project, services or ())
        passed = all(item["passed"] for item in found)
        data: dict[str, object] = {"passed": passed, "containers": found}
        code = ExitCode.OK if passed else ExitCode.FAILED
        return Outcome(data, lambda console: inspection.security(console, data), code)

    frame.answer(context, output, checked if security else whole)
