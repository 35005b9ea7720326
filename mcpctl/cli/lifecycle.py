"""up, rebuild, down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import (
    WAIT_SECONDS,
    CaBundleOption,
    DryRunOption,
    LockWaitOption,
    OutputOption,
    ServicesArgument,
    StopTimeoutOption,
    WaitOption,
    WaitTimeoutOption,
    YesOption,
)
from mcpctl.errors import UsageFault
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.runtime import Runtime
    from mcpctl.stack.images import PullPolicy
    from mcpctl.stack.plan_down import DownChoice
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import UpRequest

PANEL = "Essential"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("up", rich_help_panel=PANEL)(up)
    app.command("rebuild", rich_help_panel=PANEL)(rebuild)
    app.command("down", rich_help_panel=PANEL)(down)


BuildOption = Annotated[bool, typer.Option("--build", help="Build images first.")]
NoBuildOption = Annotated[bool, typer.Option("--no-build", help="Build no image, even a missing one.")]
PullOption = Annotated[
    str | None,
    typer.Option("--pull", metavar="always|missing|never|build", help="Overrule every pull_policy."),
]
ForceRecreateOption = Annotated[
    bool, typer.Option("--force-recreate", help="Recreate even what is unchanged.")
]
NoRecreateOption = Annotated[bool, typer.Option("--no-recreate", help="Leave containers that differ alone.")]
NoDepsOption = Annotated[bool, typer.Option("--no-deps", help="Leave the services they depend on alone.")]
RemoveOrphansOption = Annotated[
    bool, typer.Option("--remove-orphans", help="Remove what the files no longer name.")
]
ScaleOption = Annotated[
    list[str] | None, typer.Option("--scale", metavar="SERVICE=N", help="Run N of it; repeatable.")
]


def up(
    context: typer.Context,
    services: ServicesArgument = None,
    build: BuildOption = False,
    no_build: NoBuildOption = False,
    pull: PullOption = None,
    ca_bundle: CaBundleOption = None,
    wait: WaitOption = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    force_recreate: ForceRecreateOption = False,
    no_recreate: NoRecreateOption = False,
    no_deps: NoDepsOption = False,
    remove_orphans: RemoveOrphansOption = False,
    scale: ScaleOption = None,
    timeout: StopTimeoutOption = None,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Start the stack and wait until it is healthy.

    Creates what is missing, recreates only what changed, in the order of depends_on.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.stack.plan import UpChoice
        from mcpctl.stack.up import UpRequest

        request = UpRequest(
            UpChoice(
                services=tuple(services or ()),
                no_deps=no_deps,
                force_recreate=force_recreate,
                no_recreate=no_recreate,
                remove_orphans=remove_orphans,
                scale=_scale(scale or []),
            ),
            build=build,
            no_build=no_build,
            pull=_pull_policy(pull),
            building=frame.build_choice(runtime, ca_bundle),
            wait=wait,
            wait_timeout=wait_timeout,
            stop_timeout=timeout,
        )
        return _preview(runtime, request) if dry_run else _bring_up(runtime, request)

    _exclude(context, {"--build": build, "--no-build": no_build})
    _exclude(context, {"--force-recreate": force_recreate, "--no-recreate": no_recreate})
    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def _exclude(context: typer.Context, given: Mapping[str, bool]) -> None:
    if all(given.values()):
        frame.runtime_of(context)  # a usage error names the command
        raise UsageFault(f"{' and '.join(given)} exclude each other", hint="mcpctl up --help")


def _preview(runtime: Runtime, request: UpRequest) -> Outcome:
    from mcpctl.stack.up import plan_for_up

    return frame.plan_outcome(plan_for_up(runtime.engine, runtime.project, request))


def _bring_up(runtime: Runtime, request: UpRequest) -> Outcome:
    from mcpctl.doctor import find_holder
    from mcpctl.stack.up import up as bring_up

    with runtime.progress() as progress:
        result = bring_up(runtime.engine, runtime.project, request, progress, find_holder)
    return frame.up_outcome(runtime, result)


def _pull_policy(text: str | None) -> PullPolicy | None:
    from mcpctl.stack.images import PULL_POLICIES

    if text is None:
        return None
    policy = PULL_POLICIES.get(text)
    if policy is None:
        raise UsageFault(
            f"--pull {text!r} is none of {', '.join(PULL_POLICIES)}", hint="for example: --pull always"
        )
    return policy


def _scale(entries: list[str]) -> dict[str, int]:
    scale: dict[str, int] = {}
    for entry in entries:
        name, equals, count = entry.partition("=")
        if not equals or not count.isdigit():
            raise UsageFault(f"--scale {entry!r} is not SERVICE=N", hint="for example: --scale backend=2")
        scale[name] = int(count)
    return scale


def rebuild(
    context: typer.Context,
    services: ServicesArgument = None,
    pull: Annotated[bool, typer.Option("--pull", help="Look for newer base images.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step anew.")] = False,
    ca_bundle: CaBundleOption = None,
    wait: WaitOption = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    timeout: StopTimeoutOption = None,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Build images anew, recreate what changed and wait until it is healthy.

    A build that fails leaves the running containers as they are.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.doctor import find_holder
        from mcpctl.stack.plan import UpChoice
        from mcpctl.stack.rebuild import plan_for_rebuild
        from mcpctl.stack.rebuild import rebuild as build_anew
        from mcpctl.stack.up import UpRequest

        choice = UpChoice(services=tuple(services or ()))
        building = frame.build_choice(runtime, ca_bundle, pull=pull, no_cache=no_cache)
        request = UpRequest(
            choice, building=building, wait=wait, wait_timeout=wait_timeout, stop_timeout=timeout
        )
        engine, project = runtime.engine, runtime.project
        if dry_run:
            return frame.plan_outcome(plan_for_rebuild(engine, project, request))
        with runtime.progress() as progress:
            result = build_anew(engine, project, request, progress, find_holder)
        return frame.up_outcome(runtime, result)

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def down(
    context: typer.Context,
    volumes: Annotated[
        bool, typer.Option("--volumes", "-v", help="Remove the named volumes too: their data is lost.")
    ] = False,
    rmi: Annotated[str | None, typer.Option("--rmi", metavar="local|all", help="Remove images too.")] = None,
    remove_orphans: RemoveOrphansOption = False,
    timeout: StopTimeoutOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Stop and remove the stack; volumes stay.

    With --volumes the named volumes go too, once the project's name is typed.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.down import DownRequest, plan_for_down
        from mcpctl.stack.down import down as take_down
        from mcpctl.stack.plan_down import DownChoice

        choice = DownChoice(volumes=volumes, images=_images(rmi), remove_orphans=remove_orphans)
        if dry_run:
            return frame.plan_outcome(plan_for_down(runtime.engine, runtime.project, choice))
        agreed = _agree_on_volumes(runtime, choice, yes=yes) if volumes else None
        with runtime.progress() as progress:
            steps = take_down(
                runtime.engine,
                runtime.project,
                DownRequest(choice, timeout, agreed),
                progress,
                runtime.writer.warn,
            )
        data = {"steps": [step.to_json() for step in steps]}
        return Outcome(data, lambda console: views.down(console, data))

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def _images(text: str | None) -> Literal["local", "all"] | None:
    if text not in {None, "local", "all"}:
        raise UsageFault(f"--rmi {text!r} is neither local nor all", hint="mcpctl down --help")
    return "all" if text == "all" else "local" if text == "local" else None


def _agree_on_volumes(runtime: Runtime, choice: DownChoice, *, yes: bool) -> Plan:
    """Show what goes and ask for the project's name before volumes go; return what was agreed on."""
    from mcpctl.stack.down import plan_for_down

    plan = plan_for_down(runtime.engine, runtime.project, choice)
    names = [step.target for step in plan if step.action == "remove volume"]
    if names:
        question = f"This removes {', '.join(names)} and all data in them."
        frame.agree(runtime, plan, question, yes=yes, typed=runtime.project.name)
    return plan
