"""What `quick-start` would do, for `--dry-run`: changes nothing, not even ``.env``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.aws.presence import credentials_present
from mcpctl.aws.settings import sandbox_is_on
from mcpctl.errors import EngineUnreachable
from mcpctl.host import distribution, engine_install
from mcpctl.quickstart.environment import SANDBOX_PROFILE
from mcpctl.stack.images import plan_stale
from mcpctl.stack.observe import observe
from mcpctl.stack.plan import UpChoice, plan_up
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime


def preview(runtime: Runtime, *, sandbox: bool | None) -> Plan:
    """Return the steps as far as they can be known without taking the first ones."""
    from mcpctl.compose.load import load

    settings = runtime.project.environment
    wanted = sandbox
    if wanted is None:
        wanted = credentials_present(settings, Path(settings.get("HOME", "/"))) is None
    steps = _settings_steps(runtime, wanted=wanted, on=sandbox_is_on(settings))
    try:
        runtime.engine.info()
    except EngineUnreachable:
        commands = engine_install.plan(distribution.observe())
        steps += [Step(f"run:{item.command}", "run command", item.command, (item.why,)) for item in commands]
        return (*steps, Step("engine", "start engine", runtime.endpoint.url, ("no engine answers",)))
    project = load(runtime.load_request((SANDBOX_PROFILE,) if wanted else ()))
    observed = observe(runtime.engine, project)
    return (
        *steps,
        *plan_stale(project, runtime.engine, observed.images, runtime.state.built_images()),
        *plan_up(project, observed, UpChoice()),
    )


def _settings_steps(runtime: Runtime, *, wanted: bool, on: bool) -> list[Step]:
    path = runtime.project.directory / ".env"
    steps: list[Step] = []
    if not path.exists():
        steps.append(Step("env", "write file", str(path), ("there is none",)))
    if wanted != on:
        why = "no AWS credentials were found" if wanted else "AWS credentials were found"
        steps.append(
            Step("sandbox", "write file", str(path), (f"sandbox {'on' if wanted else 'off'}: {why}",))
        )
    return steps
