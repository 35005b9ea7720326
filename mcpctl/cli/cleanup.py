"""clean, clean images, clean all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.help import refuse_options_before_subcommand
from mcpctl.cli.options import (
    DryRunOption,
    LockWaitOption,
    OutputOption,
    StopTimeoutOption,
    YesOption,
)
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.runtime import Runtime
    from mcpctl.stack.clean import CleanResult, CleanWork
    from mcpctl.stack.plan_clean import CleanChoice

PANEL = "Clean-up"

app = typer.Typer()


@app.callback(invoke_without_command=True)
def clean(
    context: typer.Context,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Remove what the project left behind and nothing uses.

    Stopped containers, ended runs, containers of services that are no longer in the files, unused networks,
    and images that newer builds replaced. Volumes stay.
    """
    if context.invoked_subcommand:
        frame.runtime_of(context)  # a usage error names the command
        refuse_options_before_subcommand(context)
        return

    def choice() -> CleanChoice:
        from mcpctl.stack.plan_clean import CleanChoice

        return CleanChoice()

    operation = _operation(choice, yes=yes, dry_run=dry_run)
    frame.change(context, output, operation, lock_wait=lock_wait, dry_run=dry_run)


@app.command("images")
def images(
    context: typer.Context,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Remove the images built for the project that no container uses.

    Older builds go too; base images and images that were pulled stay.
    """

    def choice() -> CleanChoice:
        from mcpctl.stack.plan_clean import CleanChoice

        return CleanChoice("images")

    operation = _operation(choice, yes=yes, dry_run=dry_run)
    frame.change(context, output, operation, lock_wait=lock_wait, dry_run=dry_run)


@app.command("all")
def everything(
    context: typer.Context,
    volumes: Annotated[bool, typer.Option("--volumes", help="Volumes too: their data is lost.")] = False,
    timeout: StopTimeoutOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Remove all containers, networks and built images of the project.

    Asks for the project's name; volumes go only with --volumes. What others use stays; exit 9 then.
    """

    def choice() -> CleanChoice:
        from mcpctl.stack.plan_clean import CleanChoice

        return CleanChoice("all", volumes=volumes)

    operation = _operation(choice, yes=yes, dry_run=dry_run, stop_timeout=timeout)
    frame.change(context, output, operation, lock_wait=lock_wait, dry_run=dry_run)


def _operation(
    choice: Callable[[], CleanChoice], *, yes: bool, dry_run: bool, stop_timeout: int | None = None
) -> Callable[[Runtime], Outcome]:
    def run(runtime: Runtime) -> Outcome:
        from mcpctl.stack.clean import clean as carry_out
        from mcpctl.stack.clean import prepare_clean

        wanted = choice()
        work = prepare_clean(runtime.engine, runtime.project, wanted)
        for warning in work.plan.warnings:
            runtime.writer.warn(warning)
        if dry_run:
            return frame.plan_outcome(work.plan.steps)
        if work.plan.steps:
            _agree(runtime, wanted, work, yes=yes)
        with runtime.progress() as progress:
            result = carry_out(runtime.engine, runtime.project, work, progress, stop_timeout=stop_timeout)
        return _outcome(result)

    return run


def _agree(runtime: Runtime, choice: CleanChoice, work: CleanWork, *, yes: bool) -> None:
    """Ask; for everything, and where data goes, for the project's name."""
    name = runtime.project.name
    steps = work.plan.steps
    if choice.scope != "all":
        removed = sum(step.action.startswith("remove") for step in steps)
        what = "1 object" if removed == 1 else f"{removed} objects"
        frame.agree(runtime, steps, f"Remove {what} of {name}?", yes=yes)
        return
    lost = [step.target for step in steps if step.action == "remove volume"]
    question = f"This removes everything of {name}" + (f", data too: {', '.join(lost)}." if lost else ".")
    frame.agree(runtime, steps, question, yes=yes, typed=name)


def _outcome(result: CleanResult) -> Outcome:
    from mcpctl.output import changes

    error = result.error
    data = {
        "steps": [step.to_json() for step in result.steps],
        "kept": [item.to_json() for item in result.kept],
    }
    return Outcome(
        data,
        lambda console: changes.clean(console, data),
        ExitCode.PARTLY_DONE if error else ExitCode.OK,
        errors=(error,) if error else (),
    )
