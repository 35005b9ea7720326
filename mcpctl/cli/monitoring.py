"""health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Monitoring"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("health", rich_help_panel=PANEL)(health)


def health(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Run every service's healthcheck now.

    Exit 7 unless all pass.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.status import read_status

        services = read_status(runtime.engine, runtime.project, fresh=True)
        well = all(service.healthy for service in services)
        data: dict[str, object] = {
            "healthy": well,
            "services": [service.to_health_json() for service in services],
        }
        return Outcome(
            data, lambda console: views.health(console, data), ExitCode.OK if well else ExitCode.UNHEALTHY
        )

    frame.answer(context, output, run)
