"""run: a command in a container of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import WAIT_SECONDS, DryRunOption, LockWaitOption, OutputOption, WaitTimeoutOption
from mcpctl.cli.terminal import (
    AFTER_THE_SERVICE,
    PANEL,
    EnvironmentOption,
    InteractiveOption,
    NoTtyOption,
    UserOption,
    WorkdirOption,
    pairs,
    written,
)
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime
    from mcpctl.stack.oneoff import RunRequest
    from mcpctl.stack.run import OneOff


CommandArgument = Annotated[
    list[str] | None, typer.Argument(metavar="COMMAND...", help="What to run; by default what it runs.")
]
EntrypointOption = Annotated[
    str | None, typer.Option("--entrypoint", metavar="COMMAND", help="In place of the image's own.")
]
VolumeOption = Annotated[
    list[str] | None, typer.Option("--volume", "-v", metavar="SOURCE:PATH", help="One more mount.")
]
PortsOption = Annotated[bool, typer.Option("--service-ports", "-P", help="Publish the service's ports.")]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("run", rich_help_panel=PANEL, context_settings=AFTER_THE_SERVICE)(run_oneoff)


def run_oneoff(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service whose settings it has.")],
    command: CommandArgument = None,
    remove: Annotated[bool, typer.Option("--rm", help="Remove the container when it has ended.")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it to run by itself.")] = False,
    env: EnvironmentOption = None,
    user: UserOption = "",
    workdir: WorkdirOption = None,
    entrypoint: EntrypointOption = None,
    volume: VolumeOption = None,
    service_ports: PortsOption = False,
    no_deps: Annotated[bool, typer.Option("--no-deps", help="Leave what it depends on alone.")] = False,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The container's name.")] = None,
    no_tty: NoTtyOption = False,
    interactive: InteractiveOption = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Run a command in a container of its own, beside the service.

    What the service depends on is brought up first. Ends with the command's exit code.
    """
    from mcpctl.stack.oneoff import RunRequest

    del interactive
    runtime = frame.runtime_of(context)
    request = RunRequest(
        service,
        tuple(command or ()),
        environment=pairs(runtime, env or []),
        user=user or None,
        working_dir=workdir,
        entrypoint=entrypoint,
        name=name,
        mounts=tuple(volume or ()),
        service_ports=service_ports,
        no_deps=no_deps,
        remove=remove,
        wait_timeout=wait_timeout,
    )
    if dry_run:
        frame.answer(context, output, lambda runtime: _planned(runtime, request))
        return
    way = _detached if detach else _captured if output is Format.JSON else _here
    operation = partial(way, request=request, lock_wait=lock_wait, tty=not no_tty)
    frame.unlocked_change(context, output, operation, foreign=len(request.command))


def _planned(runtime: Runtime, request: RunRequest) -> Outcome:
    from mcpctl.stack.run import plan_for_run

    return frame.plan_outcome(plan_for_run(runtime.engine, runtime.project, request))


def _prepared(runtime: Runtime, request: RunRequest, lock_wait: float, *, tty: bool) -> OneOff:
    """Bring up what is needed and create the container, under the project's lock; it is free afterwards."""
    from mcpctl.stack.run import prepare

    with frame.locked_part(runtime, lock_wait), runtime.progress() as progress:
        building = frame.build_choice(runtime, None)
        oneoff = prepare(runtime.engine, runtime.project, request, progress, building, tty=tty)
    for warning in oneoff.warnings:
        runtime.writer.warn(warning)
    return oneoff


def _here(runtime: Runtime, request: RunRequest, lock_wait: float, *, tty: bool) -> Outcome:
    from mcpctl.stack.run import CannotStart, has_terminal, pass_on, run_attached

    oneoff = _prepared(runtime, request, lock_wait, tty=tty and has_terminal())
    try:
        return Outcome({}, exit_code=run_attached(runtime.engine, oneoff, pass_on))
    except CannotStart as error:
        return Outcome({}, exit_code=error.shell_code, errors=(error,))


def _captured(runtime: Runtime, request: RunRequest, lock_wait: float, *, tty: bool) -> Outcome:
    from mcpctl.stack.run import OUTPUT_LIMIT, CannotStart, Capture, run_attached

    del tty  # a document holds no terminal
    oneoff = _prepared(runtime, request, lock_wait, tty=False)
    capture = Capture(OUTPUT_LIMIT)
    try:
        code = run_attached(runtime.engine, oneoff, capture)
    except CannotStart as error:
        return Outcome({}, exit_code=error.shell_code, errors=(error,))
    return written(runtime, request.service, oneoff.name, code, capture)


def _detached(runtime: Runtime, request: RunRequest, lock_wait: float, *, tty: bool) -> Outcome:
    from mcpctl.output.views import say
    from mcpctl.stack.run import CannotStart, has_terminal, start_detached

    oneoff = _prepared(runtime, request, lock_wait, tty=tty and has_terminal())
    try:
        start_detached(runtime.engine, oneoff)
    except CannotStart as error:
        return Outcome({}, exit_code=error.shell_code, errors=(error,))
    data = {"service": request.service, "container": oneoff.name, "detached": True}
    return Outcome(data, lambda console: say(console, oneoff.name))
