"""exec, shell: commands in running containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import UsageFault
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.engine.relay import Capture
    from mcpctl.runtime import Runtime
    from mcpctl.stack.commands import ExecRequest

PANEL = "Development"
AFTER_THE_SERVICE = {"allow_interspersed_args": False}
"""What stands behind SERVICE is the command with its own options, as with docker compose."""

EnvironmentOption = Annotated[
    list[str] | None,
    typer.Option("--env", "-e", metavar="KEY[=VALUE]", help="A variable; without a value, this one's."),
]
UserOption = Annotated[str, typer.Option("--user", "-u", metavar="USER", help="Run as this user.")]
WorkdirOption = Annotated[
    str | None, typer.Option("--workdir", "-w", metavar="DIR", help="Run in this folder of the container.")
]
IndexOption = Annotated[
    int, typer.Option("--index", metavar="N", min=0, help="In replica N, not the first that runs.")
]
NoTtyOption = Annotated[
    bool, typer.Option("--no-tty", "-T", "--no-TTY", help="No terminal: the streams as they are.")
]
InteractiveOption = Annotated[bool, typer.Option("--interactive", "-i", "--tty", "-t", hidden=True)]
"""What `docker exec -it` has in the fingers: it is so anyway."""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("shell", rich_help_panel=PANEL)(shell)
    app.command("exec", rich_help_panel=PANEL, context_settings=AFTER_THE_SERVICE)(run_exec)


def run_exec(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Where to run it.")],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="What to run.")],
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it to run by itself.")] = False,
    env: EnvironmentOption = None,
    user: UserOption = "",
    workdir: WorkdirOption = None,
    index: IndexOption = 0,
    privileged: Annotated[bool, typer.Option("--privileged", help="With all capabilities.")] = False,
    no_tty: NoTtyOption = False,
    interactive: InteractiveOption = True,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Run a command in a service's container.

    Ends with the command's exit code. There is a terminal where stdin and stdout are one, unless -T.
    """
    del interactive

    def request(runtime: Runtime) -> ExecRequest:
        from mcpctl.stack.commands import ExecRequest

        return ExecRequest(
            service,
            tuple(command),
            environment=_variables(runtime, env or []),
            user=user,
            working_dir=workdir,
            index=index,
            privileged=privileged,
        )

    if detach:
        frame.answer(context, output, lambda runtime: _detached(runtime, request(runtime)))
    elif output is Format.JSON:
        frame.answer(context, output, lambda runtime: _captured(runtime, request(runtime)))
    else:
        frame.handed_over(context, lambda runtime: _here(runtime, request(runtime), tty=not no_tty))


def pairs(runtime: Runtime, entries: list[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values; a bare KEY takes this process's value and is left out where unset."""
    found: list[tuple[str, str]] = []
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not name:
            raise UsageFault(f"--env {entry!r} is not KEY=VALUE", hint="for example: --env LEVEL=debug")
        if equals:
            found.append((name, value))
        elif name in runtime.environ:
            found.append((name, runtime.environ[name]))
    return tuple(found)


def _variables(runtime: Runtime, entries: list[str]) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in pairs(runtime, entries))


def _here(runtime: Runtime, request: ExecRequest, *, tty: bool) -> int:
    from mcpctl.stack.commands import exec_here, has_terminal

    return exec_here(runtime.engine, runtime.project, request, tty=tty and has_terminal())


def _detached(runtime: Runtime, request: ExecRequest) -> Outcome:
    from mcpctl.stack.commands import exec_detached

    container = exec_detached(runtime.engine, runtime.project, request)
    return Outcome({"service": request.service, "container": container.name, "detached": True})


def _captured(runtime: Runtime, request: ExecRequest) -> Outcome:
    from mcpctl.stack.commands import exec_captured

    container, code, capture = exec_captured(runtime.engine, runtime.project, request)
    return written(runtime, request.service, container.name, code, capture)


def written(runtime: Runtime, service: str, container: str, code: int, capture: Capture) -> Outcome:
    """Return the document of a command that has ended."""
    if capture.cut:
        runtime.writer.warn(f"the output is cut: each stream after {capture.limit} bytes")
    data: dict[str, object] = {
        "service": service,
        "container": container,
        "detached": False,
        "exit_code": code,
        "stdout": capture.text(1),
        "stderr": capture.text(2),
        "truncated": capture.cut,
    }
    return Outcome(data, exit_code=code)


def shell(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(metavar="SERVICE", help="Where; by default the first that runs.")
    ] = None,
    env: EnvironmentOption = None,
    user: UserOption = "",
    workdir: WorkdirOption = None,
    index: IndexOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Open a shell in a service's container.

    It is bash where there is one, else sh.
    """

    def run(runtime: Runtime) -> int:
        from mcpctl.stack.commands import (
            BEST_SHELL,
            ExecRequest,
            exec_here,
            first_running_service,
            has_terminal,
        )
        from mcpctl.stack.order import require_service

        runtime.writer.format = output
        if service:
            require_service(runtime.project, service)
        if output is Format.JSON or not has_terminal():
            where = service or "SERVICE"
            raise UsageFault(
                "shell needs a terminal to type in and to read from",
                hint=f"mcpctl exec -T {where} sh -c 'COMMANDS'",
            )
        name = service or first_running_service(runtime.engine, runtime.project)
        request = ExecRequest(name, BEST_SHELL, _variables(runtime, env or []), user, workdir, index)
        return exec_here(runtime.engine, runtime.project, request, tty=True)

    frame.handed_over(context, run)
