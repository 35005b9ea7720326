"""status, plan, config: how the stack is, what would be done and why, what the files come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption, ServicesArgument
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("status", rich_help_panel=PANEL)(status)
    app.command("plan", rich_help_panel=PANEL)(plan)
    app.command("config", rich_help_panel=PANEL)(config)


def status(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Show services, health and ports.

    Exit 7 unless all is well.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.status import read_status

        services = read_status(runtime.engine, runtime.project)
        version = runtime.engine.version
        data: dict[str, object] = {
            "project": runtime.project.name,
            "engine": {
                "endpoint": runtime.endpoint.url,
                "reason": runtime.endpoint.reason,
                "version": version.release,
                "api_version": version.api,
            },
            "services": [service.to_json() for service in services],
        }
        well = all(service.healthy for service in services)
        return Outcome(
            data, lambda console: views.status(console, data), ExitCode.OK if well else ExitCode.UNHEALTHY
        )

    frame.look(context, output, run)


def plan(
    context: typer.Context,
    services: ServicesArgument = None,
    build: Annotated[bool, typer.Option("--build", help="As if images were built first.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show what `up` would do, and why.

    A container that would be recreated names each key that changed; secrets are masked.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.stack.plan import UpChoice
        from mcpctl.stack.up import UpRequest, plan_for_up

        request = UpRequest(UpChoice(services=tuple(services or ())), build=build)
        return frame.plan_outcome(plan_for_up(runtime.engine, runtime.project, request))

    frame.look(context, output, run)


def config(
    context: typer.Context,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Show values that look like secrets.")
    ] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show the resolved project.

    The files merged, interpolated and checked: YAML for people, the form of `docker compose config` in JSON.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.config import resolved

        data, text = resolved(runtime.project, show_secrets=show_secrets)
        return Outcome(data, lambda console: views.say(console, text.rstrip()))

    frame.answer(context, output, run)
