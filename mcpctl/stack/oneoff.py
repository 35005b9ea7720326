"""`run`: what a one-off container of a service is, and the steps before it. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.compose.build_model import build_mount
from mcpctl.compose.mounts import parse_mount
from mcpctl.compose.shellwords import UnfinishedCommand, split_command
from mcpctl.errors import ConfigError
from mcpctl.stack.observe import service_of
from mcpctl.stack.order import require_service
from mcpctl.stack.plan import UpChoice, plan_up
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from mcpctl.compose.model import Mount, Project, Service
    from mcpctl.stack.observe import Observed

SLUG_IN_NAME = 12
"""Hex digits of the slug that the container's name shows, as compose does."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `run` was asked for. ``environment`` holds values; None of ``entrypoint`` keeps the service's."""

    service: str
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    working_dir: str | None = None
    entrypoint: str | None = None
    name: str | None = None
    mounts: tuple[str, ...] = ()
    service_ports: bool = False
    no_deps: bool = False
    remove: bool = False
    wait_timeout: float = 120.0


def oneoff_name(project: Project, request: RunRequest, slug: str) -> str:
    """Return the container's name: the one asked for, else what compose would give it."""
    return request.name or f"{project.name}-{request.service}-run-{slug[:SLUG_IN_NAME]}"


def oneoff_service(project: Project, request: RunRequest, *, tty: bool) -> Service:
    """Return the service as its one-off container has it: never restarted, no ports unless asked for.

    Raises:
        NotFound: there is no such service (exit 10).
        ConfigError: a mount cannot be understood or names an unknown volume.
    """
    require_service(project, request.service)
    service = project.services[request.service]
    extra = tuple(_mount(project, text) for text in request.mounts)
    replaced = {mount.target for mount in extra}
    command, entrypoint = service.command, service.entrypoint
    if request.entrypoint is not None:
        entrypoint, command = _words(request.entrypoint), ()
    return replace(
        service,
        command=request.command or command,
        entrypoint=entrypoint,
        environment={**service.environment, **dict(request.environment)},
        user=request.user or service.user,
        working_dir=request.working_dir or service.working_dir,
        mounts=(*(item for item in service.mounts if item.target not in replaced), *extra),
        ports=service.ports if request.service_ports else (),
        container_name=None,
        restart="",
        tty=tty,
        stdin_open=True,
    )


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(split_command(text)[0])
    except UnfinishedCommand as error:
        raise ConfigError(f"--entrypoint {text!r}: {error}", hint="close its quotes") from error


def _mount(project: Project, text: str) -> Mount:
    try:
        source = parse_mount(text)
    except ValueError as error:
        raise ConfigError(f"--volume {error}", hint="for example: --volume ./data:/data:ro") from error
    if source["type"] == "bind":
        path = Path(source["source"]).expanduser()
        source["source"] = os.path.normpath(project.directory / path)
    elif source.get("source") and source["source"] not in project.volumes:
        raise ConfigError(
            f"--volume {text!r}: the project has no volume {source['source']!r}",
            hint=f"a folder is written as ./{source['source']}; volumes: {', '.join(project.volumes)}",
        )
    return build_mount(source)


def plan_oneoff(project: Project, observed: Observed, request: RunRequest, name: str) -> Plan:
    """Return the steps up to the command: networks, volumes, what the service needs, its own container.

    The first are those of an `up` of the service, as if it had none, without those that make it one.
    """
    others = replace(
        observed,
        containers=tuple(item for item in observed.containers if service_of(item) != request.service),
    )
    choice = UpChoice(services=(request.service,), no_deps=request.no_deps, scale={request.service: 1})
    ground = tuple(
        step
        for step in plan_up(project, others, choice)
        if step.service != request.service or step.action not in {"create container", "start container"}
    )
    needs = tuple(step.id for step in ground)
    why = ("a one-off container",)
    create = Step(f"create:{name}", "create container", name, why, needs, service=request.service)
    start = Step(f"start:{name}", "start container", name, why, (create.id,), service=request.service)
    return (*ground, create, start)


def ground_of(plan: Plan) -> Plan:
    """Return a plan of `run` without its last two steps, which are the command's own."""
    return plan[:-2]
