"""quick-start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import (
    WAIT_SECONDS,
    DryRunOption,
    LockWaitOption,
    OutputOption,
    WaitTimeoutOption,
    YesOption,
)
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("quick-start", rich_help_panel=PANEL)(quick_start)


def quick_start(
    context: typer.Context,
    sandbox: Annotated[
        bool | None,
        typer.Option(
            "--sandbox/--no-sandbox", help="Use the AWS sandbox; by default only without credentials."
        ),
    ] = None,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """From a bare machine to a healthy, credential-checked stack."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.quickstart.run import QuickStartRequest, quick_start

        with runtime.progress() as progress:
            arrival = quick_start(runtime, QuickStartRequest(yes, sandbox, wait_timeout), progress)
        return Outcome(arrival.to_json(), lambda console: views.arrival(console, arrival.to_json()))

    def look(runtime: Runtime) -> Outcome:
        from mcpctl.quickstart.preview import preview

        return frame.plan_outcome(preview(runtime, sandbox=sandbox))

    frame.change(context, output, look if dry_run else run, lock_wait=lock_wait, dry_run=dry_run)
