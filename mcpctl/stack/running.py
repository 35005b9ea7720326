"""`start`, `stop` and `restart`: observe, plan, apply, prove ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mcpctl.stack.apply import Applier
from mcpctl.stack.executor import execute
from mcpctl.stack.observe import observe
from mcpctl.stack.plan_lifecycle import (
    LifecycleChoice,
    plan_restart,
    plan_start,
    plan_stop,
    to_restart,
    to_start,
)
from mcpctl.stack.up import WAIT_SECONDS, UpRequest, UpResult, check_ports, prove_ready, stray

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.stack.observe import Observed
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import Reporter

Verb = Literal["start", "stop", "restart"]

_PLANNERS = {"start": plan_start, "stop": plan_stop, "restart": plan_restart}


@dataclass(frozen=True, slots=True)
class LifecycleRequest:
    """Everything that `start`, `stop` or `restart` was asked for; `stop` never waits for health."""

    verb: Verb
    choice: LifecycleChoice = field(default_factory=LifecycleChoice)
    wait: bool = True
    wait_timeout: float = WAIT_SECONDS
    stop_timeout: int | None = None


def plan_for_lifecycle(engine: Engine, project: Project, request: LifecycleRequest) -> Plan:
    """Return the steps that would run now."""
    return _PLANNERS[request.verb](project, observe(engine, project), request.choice)


def run(
    engine: Engine,
    project: Project,
    request: LifecycleRequest,
    reporter: Reporter,
    find_holder: Callable[[str, int], str | None],
) -> UpResult:
    """Start, stop or restart containers that exist, and prove ready what was started.

    Raises:
        NotFound: a service has no container (exit 10).
        PortTaken: a port is held by somebody else; nothing was changed.
        Unhealthy: a service did not become ready in time; the healthy part stays up.
    """
    observed = observe(engine, project)
    plan = _PLANNERS[request.verb](project, observed, request.choice)
    check_ports(engine, project, observed, plan, find_holder)
    applier = Applier(
        engine,
        project,
        observed,
        reporter,
        wait_timeout=request.wait_timeout,
        stop_timeout=request.stop_timeout,
    )
    execute(plan, applier.perform, reporter, applier.cancel)
    if request.verb == "stop":
        running = (item for item in observed.orphans(project) if item.running)
        return UpResult(plan, (), stray(running))
    services = _started(project, observed, request)
    waiting, deadline = UpRequest(wait_timeout=request.wait_timeout), applier.deadline
    ready = prove_ready(engine, project, services, waiting, reporter, deadline) if request.wait else ()
    return UpResult(plan, ready, tuple(applier.warnings))


def _started(project: Project, observed: Observed, request: LifecycleRequest) -> frozenset[str]:
    chosen = to_start if request.verb == "start" else to_restart
    return frozenset(chosen(project, observed, request.choice))
