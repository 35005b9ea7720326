"""test, serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Development"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("test", rich_help_panel=PANEL)(test)
    app.command("serve", rich_help_panel=PANEL)(serve)


def test(
    context: typer.Context,
    which: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PART|PATH",
            help="unit, docs, quality, engine, engine26, e2e, benchmarks, aws; all by default.",
        ),
    ] = None,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Run the tests, with all that they need."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.development.tests import run_tests

        with runtime.progress() as progress:
            code = run_tests(runtime, tuple(which or ()), progress.line)
        data = {"passed": code == 0, "pytest_exit_code": code}
        return Outcome(data, exit_code=ExitCode.OK if code == 0 else ExitCode.FAILED)

    frame.answer(context, output, run)


def serve(
    context: typer.Context,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Start the AWS sandbox too and use it.")] = False,
    host: Annotated[str, typer.Option("--bind", metavar="ADDRESS", help="Listen here.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="The tool service's port.")] = 8000,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Run the tool service without Docker.

    Plain processes in the foreground; with --sandbox its AWS too.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.development.serve import ServeRequest
        from mcpctl.development.serve import serve as run_processes

        return run_processes(runtime, ServeRequest(host, port, sandbox=sandbox))

    frame.answer(context, output, run)
