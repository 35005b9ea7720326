"""`down`: observe, plan, apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.stack.apply import Applier
from mcpctl.stack.executor import execute
from mcpctl.stack.observe import observe
from mcpctl.stack.plan_down import DownChoice, plan_down

if TYPE_CHECKING:
    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import Reporter


def plan_for_down(engine: Engine, project: Project, choice: DownChoice) -> Plan:
    """Return the steps that `down` would run now."""
    return plan_down(project, observe(engine, project, oneoffs=True), choice)


def down(
    engine: Engine,
    project: Project,
    choice: DownChoice,
    reporter: Reporter,
    *,
    stop_timeout: int | None = None,
    agreed: Plan | None = None,
) -> Plan:
    """Take a project away; volumes stay unless asked for by name. Returns what was done.

    ``agreed`` is the plan that somebody said yes to: then exactly that is done.
    """
    observed = observe(engine, project, oneoffs=True)
    plan = plan_down(project, observed, choice) if agreed is None else agreed
    applier = Applier(engine, project, observed, reporter, wait_timeout=0, stop_timeout=stop_timeout)
    execute(plan, applier.perform, reporter, applier.cancel)
    return plan
