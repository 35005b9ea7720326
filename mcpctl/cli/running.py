"""start, stop, restart: containers that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import (
    WAIT_SECONDS,
    DryRunOption,
    LockWaitOption,
    OutputOption,
    ServicesArgument,
    StopTimeoutOption,
    WaitOption,
    WaitTimeoutOption,
)
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.runtime import Runtime
    from mcpctl.stack.running import LifecycleRequest
    from mcpctl.stack.up import UpResult

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("start", rich_help_panel=PANEL)(start)
    app.command("stop", rich_help_panel=PANEL)(stop)
    app.command("restart", rich_help_panel=PANEL)(restart)


def start(
    context: typer.Context,
    services: ServicesArgument = None,
    wait: WaitOption = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Start stopped containers again and wait until they are healthy.

    What they depend on is started first. Nothing is created: that is what up does.
    """

    def request() -> LifecycleRequest:
        from mcpctl.stack.plan_lifecycle import LifecycleChoice
        from mcpctl.stack.running import LifecycleRequest

        choice = LifecycleChoice(tuple(services or ()))
        return LifecycleRequest("start", choice, wait=wait, wait_timeout=wait_timeout)

    frame.change(context, output, _operation(request, dry_run), lock_wait=lock_wait, dry_run=dry_run)


def stop(
    context: typer.Context,
    services: ServicesArgument = None,
    timeout: StopTimeoutOption = None,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Stop containers and keep them.

    Those that depend on others stop first.
    """

    def request() -> LifecycleRequest:
        from mcpctl.stack.plan_lifecycle import LifecycleChoice
        from mcpctl.stack.running import LifecycleRequest

        return LifecycleRequest(
            "stop", LifecycleChoice(tuple(services or ())), wait=False, stop_timeout=timeout
        )

    frame.change(context, output, _operation(request, dry_run), lock_wait=lock_wait, dry_run=dry_run)


def restart(
    context: typer.Context,
    services: ServicesArgument = None,
    no_deps: Annotated[
        bool, typer.Option("--no-deps", help="Leave those alone that depend on them with restart: true.")
    ] = False,
    timeout: StopTimeoutOption = None,
    wait: WaitOption = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Stop containers, start them again and wait until they are healthy.

    The containers stay the same: a changed file or image takes effect with up or rebuild.
    """

    def request() -> LifecycleRequest:
        from mcpctl.stack.plan_lifecycle import LifecycleChoice
        from mcpctl.stack.running import LifecycleRequest

        choice = LifecycleChoice(tuple(services or ()), no_deps)
        return LifecycleRequest("restart", choice, wait=wait, wait_timeout=wait_timeout, stop_timeout=timeout)

    frame.change(context, output, _operation(request, dry_run), lock_wait=lock_wait, dry_run=dry_run)


def _operation(request: Callable[[], LifecycleRequest], dry_run: bool) -> Callable[[Runtime], Outcome]:
    def run(runtime: Runtime) -> Outcome:
        from mcpctl.doctor import find_holder
        from mcpctl.stack.running import plan_for_lifecycle
        from mcpctl.stack.running import run as carry_out

        wanted = request()
        if dry_run:
            return frame.plan_outcome(plan_for_lifecycle(runtime.engine, runtime.project, wanted))
        with runtime.progress() as progress:
            result = carry_out(runtime.engine, runtime.project, wanted, progress, find_holder)
        return _stopped(runtime, result) if wanted.verb == "stop" else frame.up_outcome(runtime, result)

    return run


def _stopped(runtime: Runtime, result: UpResult) -> Outcome:
    from mcpctl.output import changes

    for warning in result.warnings:
        runtime.writer.warn(warning)
    data = {"steps": [step.to_json() for step in result.steps]}
    return Outcome(data, lambda console: changes.stop(console, data))
