"""`rebuild`: build, then recreate only what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mcpctl.stack.images import plan_images
from mcpctl.stack.observe import observe_images
from mcpctl.stack.order import selected
from mcpctl.stack.up import plan_for_up, run_image_steps, up

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import Reporter, UpRequest, UpResult


def plan_for_rebuild(engine: Engine, project: Project, request: UpRequest) -> Plan:
    """Return the steps that `rebuild` would run now; whether an image changes shows when it is built."""
    builds = _plan_builds(engine, project, request.choice.services)
    return (*builds, *plan_for_up(engine, project, _after(builds, request)))


def rebuild(
    engine: Engine,
    project: Project,
    request: UpRequest,
    reporter: Reporter,
    find_holder: Callable[[str, int], str | None],
) -> UpResult:
    """Build the chosen services' images, recreate the containers whose image changed, prove all ready.

    Raises:
        EngineFailed: a build failed; the containers are as they were.
        Unhealthy: a service did not become ready in time; the healthy part stays up.
    """
    builds = _plan_builds(engine, project, request.choice.services)
    run_image_steps(engine, project, builds, request.building, reporter)
    result = up(engine, project, _after(builds, request), reporter, find_holder)
    return replace(result, steps=(*builds, *result.steps))


def _after(builds: Plan, request: UpRequest) -> UpRequest:
    """Leave the new images alone: a ``pull_policy`` must neither build them again nor pull over them."""
    return replace(request, built=frozenset(step.service for step in builds))


def _plan_builds(engine: Engine, project: Project, services: tuple[str, ...]) -> Plan:
    chosen = selected(project, services, with_dependencies=False)
    wanted = frozenset(name for name in chosen if project.services[name].build)
    why = ("it is to be rebuilt; its containers are recreated where it changed",)
    steps = plan_images(project, observe_images(engine, project), wanted, rebuild=True)
    return tuple(replace(step, why=why) for step in steps)
