"""build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import CaBundleOption, DryRunOption, LockWaitOption, OutputOption, ServicesArgument
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime
    from mcpctl.stack.images import BuildChoice

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("build", rich_help_panel=PANEL)(build)


def build(
    context: typer.Context,
    services: ServicesArgument = None,
    pull: Annotated[bool, typer.Option("--pull", help="Look for newer base images.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step anew.")] = False,
    ca_bundle: CaBundleOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which builder, what goes in, and why; change nothing.")
    ] = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Build the services' images."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.stack.images import plan_images
        from mcpctl.stack.observe import observe_images
        from mcpctl.stack.order import selected
        from mcpctl.stack.up import run_image_steps

        project, engine = runtime.project, runtime.engine
        chosen = selected(project, services or (), with_dependencies=False)
        built = frozenset(name for name in chosen if project.services[name].build)
        choice = frame.build_choice(runtime, ca_bundle, pull=pull, no_cache=no_cache)
        if explain:
            return _explained(runtime, sorted(built), choice)
        steps = plan_images(project, observe_images(engine, project), built, rebuild=True)
        if dry_run:
            return frame.plan_outcome(steps)
        with runtime.progress() as progress:
            run_image_steps(engine, project, steps, choice, progress)
        return Outcome({"images": [step.target for step in steps]})

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run or explain)


def _explained(runtime: Runtime, services: list[str], choice: BuildChoice) -> Outcome:
    from mcpctl.output import building
    from mcpctl.stack.explain import explain

    found = explain(runtime.engine, runtime.project, services, choice, runtime.state.built_images())
    data = found.to_json()
    return Outcome(data, lambda console: building.explanation(console, data))
