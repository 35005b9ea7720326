"""quick-start, build, up, down, status, logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import (
    DryRunOption,
    LockWaitOption,
    OutputOption,
    ServicesArgument,
    StopTimeoutOption,
    WaitTimeoutOption,
    YesOption,
)
from mcpctl.errors import ConfigError, ExitCode, UsageFault
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import UpRequest

PANEL = "Essential"
WAIT_SECONDS = 120.0
_AGE = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("quick-start", rich_help_panel=PANEL)(quick_start)
    app.command("build", rich_help_panel=PANEL)(build)
    app.command("up", rich_help_panel=PANEL)(up)
    app.command("down", rich_help_panel=PANEL)(down)
    app.command("status", rich_help_panel=PANEL)(status)
    app.command("logs", rich_help_panel=PANEL)(logs)


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


def build(
    context: typer.Context,
    services: ServicesArgument = None,
    pull: Annotated[bool, typer.Option("--pull", help="Look for newer base images.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step anew.")] = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Build the services' images."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.stack.images import BuildChoice, plan_images
        from mcpctl.stack.observe import observe_images
        from mcpctl.stack.order import selected
        from mcpctl.stack.up import run_image_steps

        project, engine = runtime.project, runtime.engine
        chosen = selected(project, services or (), with_dependencies=False)
        built = frozenset(name for name in chosen if project.services[name].build)
        steps = plan_images(project, observe_images(engine, project), built, rebuild=True)
        if dry_run:
            return frame.plan_outcome(steps)
        with runtime.progress() as progress:
            run_image_steps(
                engine, project, steps, BuildChoice(pull, no_cache, runtime.state.remember_build), progress
            )
        return Outcome({"images": [step.target for step in steps]})

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def up(
    context: typer.Context,
    services: ServicesArgument = None,
    build: Annotated[bool, typer.Option("--build", help="Build images first.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all is healthy.")] = True,
    wait_timeout: WaitTimeoutOption = WAIT_SECONDS,
    force_recreate: Annotated[
        bool, typer.Option("--force-recreate", help="Recreate even what is unchanged.")
    ] = False,
    no_recreate: Annotated[
        bool, typer.Option("--no-recreate", help="Leave containers that differ alone.")
    ] = False,
    no_deps: Annotated[
        bool, typer.Option("--no-deps", help="Leave the services they depend on alone.")
    ] = False,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove what the files no longer name.")
    ] = False,
    scale: Annotated[
        list[str] | None, typer.Option("--scale", metavar="SERVICE=N", help="Run N of it; repeatable.")
    ] = None,
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
        from mcpctl.stack.up import UpRequest, plan_for_up

        choice = UpChoice(
            services=tuple(services or ()),
            no_deps=no_deps,
            force_recreate=force_recreate,
            no_recreate=no_recreate,
            remove_orphans=remove_orphans,
            scale=_scale(scale or []),
        )
        request = UpRequest(choice, build=build, wait=wait, wait_timeout=wait_timeout, stop_timeout=timeout)
        if dry_run:
            return frame.plan_outcome(plan_for_up(runtime.engine, runtime.project, request))
        return _bring_up(runtime, request)

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def _bring_up(runtime: Runtime, request: UpRequest) -> Outcome:
    from mcpctl.doctor import find_holder
    from mcpctl.output import views
    from mcpctl.stack.status import by_service
    from mcpctl.stack.up import up as bring_up

    with runtime.progress() as progress:
        result = bring_up(runtime.engine, runtime.project, request, progress, find_holder)
    for warning in result.warnings:
        runtime.writer.warn(warning)
    services = [item for item in by_service(runtime.project, result.ready) if item.assessments]
    data = {
        "steps": [step.to_json() for step in result.steps],
        "services": [service.to_json() for service in services],
    }
    return Outcome(data, lambda console: views.up(console, data))


def _scale(entries: list[str]) -> dict[str, int]:
    scale: dict[str, int] = {}
    for entry in entries:
        name, equals, count = entry.partition("=")
        if not equals or not count.isdigit():
            raise UsageFault(f"--scale {entry!r} is not SERVICE=N", hint="for example: --scale backend=2")
        scale[name] = int(count)
    return scale


def down(
    context: typer.Context,
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Remove the named volumes too: their data is lost.")
    ] = False,
    rmi: Annotated[str | None, typer.Option("--rmi", metavar="local|all", help="Remove images too.")] = None,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove what the files no longer name.")
    ] = False,
    timeout: StopTimeoutOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    lock_wait: LockWaitOption = 0,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Stop and remove the stack; volumes stay.

    With --volumes the named volumes go too, after a question.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.down import down as take_down
        from mcpctl.stack.down import plan_for_down
        from mcpctl.stack.plan_down import DownChoice

        choice = DownChoice(volumes=volumes, images=_images(rmi), remove_orphans=remove_orphans)
        if dry_run:
            return frame.plan_outcome(plan_for_down(runtime.engine, runtime.project, choice))
        if volumes:
            _confirm_volumes(runtime, plan_for_down(runtime.engine, runtime.project, choice), yes=yes)
        with runtime.progress() as progress:
            steps = take_down(runtime.engine, runtime.project, choice, progress, stop_timeout=timeout)
        data = {"steps": [step.to_json() for step in steps]}
        return Outcome(data, lambda console: views.down(console, data))

    frame.change(context, output, run, lock_wait=lock_wait, dry_run=dry_run)


def _images(text: str | None) -> Literal["local", "all"] | None:
    if text not in {None, "local", "all"}:
        raise UsageFault(f"--rmi {text!r} is neither local nor all", hint="mcpctl down --help")
    return "all" if text == "all" else "local" if text == "local" else None


def _confirm_volumes(runtime: Runtime, plan: Plan, *, yes: bool) -> None:
    """Ask before volumes go, naming them; nothing is asked where there are none."""
    names = [step.target for step in plan if step.action == "remove volume"]
    if names:
        runtime.require_yes(f"Remove {', '.join(names)} and all data in them?", yes=yes)


def status(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Show services, health and ports.

    Exit 7 unless all is well.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.status import read_status

        services = read_status(runtime.engine, runtime.project)
        info = runtime.engine.info()
        data: dict[str, object] = {
            "project": runtime.project.name,
            "engine": {
                "endpoint": info.endpoint.url,
                "version": info.version,
                "api_version": info.api_version,
            },
            "services": [service.to_json() for service in services],
        }
        well = all(service.healthy for service in services)
        return Outcome(
            data, lambda console: views.status(console, data), ExitCode.OK if well else ExitCode.UNHEALTHY
        )

    frame.answer(context, output, run)


def logs(
    context: typer.Context,
    services: ServicesArgument = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", help="Only the last N of each container.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From a time, or an age like 10m.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to a time, or an age.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show each line's time.")] = False,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Show the containers' logs, merged by time."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views
        from mcpctl.stack.logs import LogRequest, follow_logs, read_logs

        request = LogRequest(tuple(services or ()), tail, _moment(since), _moment(until))
        if not follow and output is Format.JSON:
            lines = [line.to_json() for line in read_logs(runtime.engine, runtime.project, request)]
            return Outcome({"lines": lines})
        stream = (follow_logs if follow else read_logs)(runtime.engine, runtime.project, request)
        show = views.LogView(runtime.writer, timestamps=timestamps)
        for line in stream:
            show.line(line.to_json())
        return Outcome({}, exit_code=ExitCode.OK, show=None)

    if follow and output is Format.JSON:
        frame.stream(context, output, run)
    else:
        frame.answer(context, output, run)


def _moment(text: str | None) -> float | None:
    """Read a time (RFC 3339 or Unix seconds) or an age (``1h30m``) as Unix seconds."""
    from datetime import UTC, datetime

    if text is None:
        return None
    age = _AGE.fullmatch(text)
    if age and any(age.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in age.groups())
        return datetime.now(UTC).timestamp() - (days * 86400 + hours * 3600 + minutes * 60 + seconds)
    try:
        if text.replace(".", "", 1).isdigit():
            return float(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is neither a time nor an age", hint="for example: --since 10m") from None
    return (moment if moment.tzinfo else moment.astimezone()).timestamp()
