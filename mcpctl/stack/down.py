"""`down`: observe, plan, apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.errors import PartlyDone
from mcpctl.stack.apply import Applier
from mcpctl.stack.executor import execute
from mcpctl.stack.observe import observe_for_down
from mcpctl.stack.plan_down import DownChoice, networks_in_use, plan_down, volumes_in_use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import Reporter


def plan_for_down(engine: Engine, project: Project, choice: DownChoice) -> Plan:
    """Return the steps that `down` would run now."""
    return plan_down(project, observe_for_down(engine, project), choice)


@dataclass(frozen=True, slots=True)
class DownRequest:
    """Everything that `down` was asked for; ``agreed`` is the plan that somebody said yes to."""

    choice: DownChoice
    stop_timeout: int | None = None
    agreed: Plan | None = None


def down(
    engine: Engine,
    project: Project,
    request: DownRequest,
    reporter: Reporter,
    warn: Callable[[str], None] = lambda _text: None,
) -> Plan:
    """Take a project away, exactly as agreed; volumes stay unless asked for. Returns what was done.

    Raises:
        PartlyDone: a volume stays since a container of somebody else uses it; all else is gone.
    """
    choice = request.choice
    observed = observe_for_down(engine, project)
    plan = plan_down(project, observed, choice) if request.agreed is None else request.agreed
    applier = Applier(engine, project, observed, reporter, wait_timeout=0, stop_timeout=request.stop_timeout)
    execute(plan, applier.perform, reporter, applier.cancel)
    for network, users in networks_in_use(project, observed).items():
        warn(f"network {network} stays: {', '.join(users)} is not of this project and runs on it")
    if choice.volumes and (held := volumes_in_use(observed, choice, project)):
        raise _partly(held)
    return plan


def _partly(held: Mapping[str, tuple[str, ...]]) -> PartlyDone:
    users = sorted({user for names in held.values() for user in names})
    stays = "; ".join(f"volume {name} is used by {', '.join(names)}" for name, names in held.items())
    return PartlyDone(
        f"{stays}; everything else is removed",
        hint=f"docker rm -f {' '.join(users)}, then: mcpctl down --volumes",
        details={"volumes": {name: list(names) for name, names in held.items()}},
    )
