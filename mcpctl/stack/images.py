"""Which images a project must build or pull, and doing so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcpctl.compose import labels
from mcpctl.engine.build import build, pull
from mcpctl.engine.context import open_context
from mcpctl.engine.types import BuildSpec
from mcpctl.errors import ConfigError, EngineFailed, NotFound
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


PullPolicy = Literal["always", "missing", "never", "build"]
PULL_POLICIES: Mapping[str, PullPolicy] = {
    "always": "always",
    "missing": "missing",
    "if_not_present": "missing",
    "never": "never",
    "build": "build",
}
"""What `--pull` accepts, as docker compose does."""


def plan_images(
    project: Project,
    images: Mapping[str, Image | None],
    services: frozenset[str],
    *,
    rebuild: bool,
    pull: PullPolicy | None = None,
    no_build: bool = False,
) -> tuple[Step, ...]:
    """Return the steps that bring the images of ``services``; with ``rebuild`` also those that are there.

    ``pull`` overrules each service's ``pull_policy``. The rules are those of docker compose: an image that
    has both a name and a build section is pulled if it is missing, and built if it cannot be pulled.

    Raises:
        NotFound: an image is missing and may neither be pulled nor built.
    """
    steps: list[Step] = []
    for name in in_start_order(project):
        if name not in services:
            continue
        service = project.services[name]
        image = service.image_name(project.name)
        builder = None if no_build else _builder(project, service)
        present = images.get(image) is not None
        policy, why = _policy(service, rebuild=rebuild, pull=pull)
        if service.image and (policy == "always" or (policy == "missing" and not present)):
            steps.append(_pull_step(image, why if present else "it does not exist", builder, present=present))
        elif builder and (not present or (policy == "build" and service.build)):
            _require_buildable(builder)
            steps.append(_build_step(builder, image, why if present else "it does not exist"))
        elif not present:
            raise _unobtainable(service, image, policy)
    return tuple({step.id: step for step in steps}.values())


def _policy(service: Service, *, rebuild: bool, pull: PullPolicy | None) -> tuple[str, str]:
    """Return the rule that holds for a service's image, and who says so."""
    if rebuild and service.build:
        return "build", "--build"
    if pull:
        return pull, f"--pull {pull}"
    return service.pull_policy or "missing", f"pull_policy: {service.pull_policy}"


def _builder(project: Project, service: Service) -> Service | None:
    """Return the service whose build section makes this one's image: itself, or another of the same image."""
    name = service.image_name(project.name)
    same = [other for other in project.services.values() if other.image_name(project.name) == name]
    return service if service.build else next((other for other in same if other.build), None)


def _pull_step(image: str, why: str, builder: Service | None, *, present: bool) -> Step:
    """Pull an image; the step's service is who builds it where that fails, if anybody can."""
    otherwise = "the local one is kept" if present else "it is built"
    reasons = (why, f"{otherwise} if it cannot be pulled") if builder else (why,)
    return Step(
        f"pull:{image}",
        "pull image",
        image,
        reasons,
        service=builder.name if builder else "",
        subject=image,
    )


def _build_step(service: Service, image: str, why: str) -> Step:
    return Step(f"build:{service.name}", "build image", image, (why,), service=service.name, subject=image)


def _unobtainable(service: Service, image: str, policy: str) -> NotFound:
    """Say why an image that is missing can be had in no way."""
    if service.build:
        message, hint = "and --no-build forbids to build it", f"mcpctl build {service.name}"
    else:
        message, hint = f"and its pull policy is {policy}", f"mcpctl up --pull missing {service.name}"
    return NotFound(
        f"service {service.name}: image {image} does not exist, {message}",
        hint=hint,
        details={"service": service.name, "image": image},
    )


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
        steps.append(_build_step(service, tag, why))
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
    if step.action == "pull image" and _pulled(engine, step, report):
        return
    service = project.services[step.service]
    inputs = build_inputs(engine, service)
    image_id = build(engine, build_spec(project, service, choice), report)
    if choice.remember:
        choice.remember(image_id, inputs)


def _pulled(engine: Engine, step: Step, report: Callable[[str], None]) -> bool:
    """Pull an image; tell whether that is all. A failure counts only where nobody builds the image."""
    try:
        pull(engine, step.subject, report)
    except EngineFailed as error:
        if not step.service:
            raise
        present = engine.find_image(step.subject) is not None
        report(f"{error.message}: {'the local one is used' if present else 'it is built instead'}")
        return present
    return True


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
