"""Which images a project must build or pull, and doing so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.compose import labels
from mcpctl.engine.build import build, pull
from mcpctl.engine.context import open_context
from mcpctl.engine.types import BuildSpec
from mcpctl.errors import ConfigError
from mcpctl.stack.order import in_start_order
from mcpctl.stack.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Image


@dataclass(frozen=True, slots=True)
class BuildChoice:
    """How to build; ``remember`` is given each built image's id and the digest of its inputs."""

    pull: bool = False
    no_cache: bool = False
    remember: Callable[[str, str], None] | None = None


def _require_buildable(service: Service) -> None:
    """Refuse what the engine's own builder cannot do, rather than leave it out."""
    build = service.build
    if build is None:
        return
    wanted = {
        "secrets": build.secrets,
        "additional_contexts": build.additional_contexts,
        "platforms": build.platforms[1:],
    }
    for key, value in wanted.items():
        if value:
            raise ConfigError(
                f"service {service.name}: build.{key} needs BuildKit, which mcpctl does not drive yet",
                hint=f"docker compose build {service.name}, then: mcpctl up",
                details={"service": service.name, "key": f"build.{key}"},
            )


def plan_images(
    project: Project, images: Mapping[str, Image | None], services: frozenset[str], *, rebuild: bool
) -> tuple[Step, ...]:
    """Return the steps that bring the images of ``services``; with ``rebuild`` also those that are there."""
    steps: list[Step] = []
    for name in in_start_order(project):
        if name not in services:
            continue
        service = project.services[name]
        image = service.image_name(project.name)
        if service.build and (rebuild or images.get(image) is None):
            _require_buildable(service)
            why = "--build" if rebuild and images.get(image) else "it does not exist"
            steps.append(Step(f"build:{name}", "build image", image, (why,), service=name, subject=image))
        elif images.get(image) is None:
            steps.append(
                Step(
                    f"pull:{image}", "pull image", image, ("it does not exist",), service=name, subject=image
                )
            )
    return tuple({step.id: step for step in steps}.values())


def plan_stale(
    project: Project, engine: Engine, images: Mapping[str, Image | None], built: Mapping[str, str]
) -> tuple[Step, ...]:
    """Return build steps for images that are missing or whose inputs changed since they were built.

    ``built`` holds the digest of the inputs of each image that we built, by the image's id.
    """
    steps: list[Step] = []
    for name in in_start_order(project):
        service = project.services[name]
        if service.build is None:
            continue
        tag = service.image_name(project.name)
        image = images.get(tag)
        _require_buildable(service)
        why = "it does not exist"
        if image:
            if built.get(image.id) == build_inputs(engine, service):
                continue
            why = "its sources changed"
        steps.append(Step(f"build:{name}", "build image", tag, (why,), service=name, subject=tag))
    return tuple(steps)


def build_inputs(engine: Engine, service: Service) -> str:
    """Return the digest of a build's inputs: context, target, arguments and the base images named by them."""
    definition = service.build
    if definition is None:
        raise ConfigError(f"service {service.name} has no build section", hint="mcpctl up pulls its image")
    arguments = dict(definition.args)
    bases = {
        value: image.id
        for key, value in arguments.items()
        if key.endswith("IMAGE") and value and (image := engine.find_image(value))
    }
    context = open_context(definition.context, definition.dockerfile).digest()
    text = json.dumps([context, definition.dockerfile, definition.target, arguments, bases], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def perform_image_step(
    engine: Engine, project: Project, step: Step, choice: BuildChoice, report: Callable[[str], None]
) -> None:
    """Build or pull what a step names; with ``choice.remember`` note what went into an image."""
    service = project.services[step.service]
    if step.action == "pull image":
        pull(engine, step.subject, report)
        return
    inputs = build_inputs(engine, service)
    image_id = build(engine, build_spec(project, service, choice), report)
    if choice.remember:
        choice.remember(image_id, inputs)


def build_spec(project: Project, service: Service, choice: BuildChoice) -> BuildSpec:
    """Return what the engine's builder is asked for."""
    definition = service.build
    if definition is None:
        raise ConfigError(f"service {service.name} has no build section", hint="mcpctl up pulls its image")
    return BuildSpec(
        tag=service.image_name(project.name),
        context=definition.context,
        dockerfile=definition.dockerfile,
        target=definition.target,
        args=definition.args,
        labels={**definition.labels, **labels.image_labels(project, service)},
        cache_from=definition.cache_from,
        network=definition.network,
        platform=service.platform or next(iter(definition.platforms), None),
        pull=choice.pull or definition.pull,
        no_cache=choice.no_cache or definition.no_cache,
        extra_hosts=definition.extra_hosts,
        shm_size=definition.shm_size,
        more_tags=definition.tags,
    )
