"""engine info, engine install, engine start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import DryRunOption, OutputOption, YesOption
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime

PANEL = "Host"
app = typer.Typer(help="The Docker Engine of this machine.")


@app.command("info")
def info(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Show which engine is used, and why that one."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        data = runtime.engine.info().to_json()
        return Outcome(data, lambda console: views.pairs(console, data))

    frame.answer(context, output, run)


@app.command("install")
def install(
    context: typer.Context,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Install the distribution's Docker Engine.

    Does nothing where one is installed.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.host import distribution, engine_install
        from mcpctl.output import views

        steps = engine_install.plan(distribution.observe())
        data: dict[str, object] = {
            "steps": [{"action": "run", "target": step.command, "why": [step.why]} for step in steps]
        }
        if dry_run or not steps:
            return Outcome(
                data, lambda console: views.plan(console, data, empty="an engine is installed already")
            )
        runtime.require_yes("Install the distribution's Docker Engine?", yes=yes)
        with runtime.progress() as progress:
            engine_install.install(distribution.observe(), progress.line)
        return Outcome(data, lambda console: views.say(console, "installed; next: mcpctl engine start"))

    frame.answer(context, output, run)


@app.command("start")
def start(context: typer.Context, dry_run: DryRunOption = False, output: OutputOption = Format.HUMAN) -> None:
    """Start this machine's Docker Engine.

    Waits until it answers; also brings back one that died.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.host import daemon, distribution
        from mcpctl.output import views

        if dry_run:
            steps: dict[str, object] = {
                "steps": [
                    {
                        "action": "start",
                        "target": " ".join(daemon.Daemon().argv()),
                        "why": ["unless one answers"],
                    }
                ]
            }
            return Outcome(steps, lambda console: views.plan(console, steps))
        with runtime.progress() as progress:
            started = daemon.start(distribution.observe(), report=progress.line)
        data: dict[str, object] = {
            "how": started.how,
            "endpoint": f"unix://{started.socket}",
            "version": started.version,
            "seconds": round(started.seconds, 2),
            "removed": list(started.removed),
        }
        return Outcome(data, lambda console: views.pairs(console, data))

    frame.answer(context, output, run)
