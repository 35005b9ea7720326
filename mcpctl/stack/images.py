"""Which images a project must build or pull, and doing so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mcpctl.compose import labels
from mcpctl.engine import buildx, certificate_bundle
from mcpctl.engine.build import build, pull
from mcpctl.engine.builders import GET_BUILDX, choose_builder
from mcpctl.engine.certificate_bundle import read_bundle
from mcpctl.engine.context import IGNORE_FILE
from mcpctl.engine.recipe import read_dockerfile, read_recipe
from mcpctl.engine.types import BuildSecret, BuildSpec
from mcpctl.errors import ConfigError, EngineFailed, NotFound
from mcpctl.stack.order import in_start_order
from mcpctl.stack.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.compose.model import Build, FileReference, Project, Service
    from mcpctl.engine.builders import Builder
    from mcpctl.engine.client import Engine
    from mcpctl.engine.recipe import Recipe
    from mcpctl.engine.types import Image


LARGE_CONTEXT = 50_000_000
"""Bytes above which a context's largest files are named."""


@dataclass(frozen=True, slots=True)
class BuildChoice:
    """How to build; ``remember`` is given each built image's id and the digest of its inputs.

    ``warn`` is told what a person should see even where progress is not shown; ``ca_bundle`` is a
    PEM file of certificates for proxies that inspect TLS.
    """

    pull: bool = False
    no_cache: bool = False
    remember: Callable[[str, str], None] | None = None
    ca_bundle: Path | None = None
    warn: Callable[[str], None] | None = None


def _require_buildable(project: Project, service: Service) -> None:
    """Refuse what cannot be built rather than leave a part of it out."""
    if refusal := why_not_buildable(project, service):
        raise refusal


def why_not_buildable(project: Project, service: Service) -> ConfigError | None:
    """Return why the engine's own builder cannot do it where there is no other; None where it can."""
    builder = choose_builder(project.environment)
    definition = service.build
    if definition is None or builder.program:
        return None
    wanted = {
        "secrets": definition.secrets,
        "additional_contexts": definition.additional_contexts,
        "cache_to": definition.cache_to,
    }
    for key, value in wanted.items():
        if value:
            return _needs_buildkit(service, f"build.{key}", builder)
    file = Path(definition.context, definition.dockerfile)
    found = read_dockerfile(file).needs_buildkit() if file.is_file() else None
    return _needs_buildkit(service, f"{file}:{found.line}: {found.what}", builder) if found else None


def _needs_buildkit(service: Service, what: str, builder: Builder) -> ConfigError:
    hint = GET_BUILDX
    if builder.reason.startswith("DOCKER_BUILDKIT"):
        hint = f"unset DOCKER_BUILDKIT; without docker buildx also: {GET_BUILDX}"
    return ConfigError(
        f"service {service.name}: {what} needs BuildKit, and {builder.reason}",
        hint=hint,
        details={"service": service.name, "key": what, "builder": builder.name},
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
            _require_buildable(project, builder)
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
        _require_buildable(project, service)
        why = "it does not exist"
        if image and service.build.additional_contexts:
            why = "its additional contexts may have changed"
        elif image:
            if built.get(image.id) == build_inputs(engine, service):
                continue
            why = "its sources changed"
        steps.append(_build_step(service, tag, why))
    return tuple(steps)


def build_inputs(engine: Engine, service: Service) -> str:
    """Return the digest of a build's inputs: context, target, arguments and the images it starts from.

    Additional contexts are not looked into: where there are some, nothing follows from an equal digest.
    """
    definition = definition_of(service)
    return _inputs(definition, recipe_of(engine, definition))


def definition_of(service: Service) -> Build:
    """Return how a service's image is built.

    Raises:
        ConfigError: it has no build section.
    """
    if service.build is None:
        raise ConfigError(f"service {service.name} has no build section", hint="mcpctl up pulls its image")
    return service.build


def recipe_of(engine: Engine, definition: Build, *, pull: bool = False) -> Recipe:
    """Return what goes into an image; with ``pull`` its base images may still change."""
    return read_recipe(
        engine, definition.context, definition.dockerfile, definition.args, definition.target, pull=pull
    )


def _inputs(definition: Build, recipe: Recipe, context_digest: str = "") -> str:
    what = [
        context_digest or recipe.context.digest(),
        definition.dockerfile,
        definition.target,
        dict(definition.args),
        dict(recipe.bases),
    ]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def perform_image_step(
    engine: Engine, project: Project, step: Step, choice: BuildChoice, report: Callable[[str], None]
) -> None:
    """Build or pull what a step names; with ``choice.remember`` note what went into an image."""
    if step.action == "pull image" and _pulled(engine, step, report):
        return
    service = project.services[step.service]
    definition, spec = definition_of(service), build_spec(project, service, choice)
    recipe = recipe_of(engine, definition, pull=spec.pull)
    _require_buildable(project, service)
    _tell_weight(recipe, choice.warn or report)
    builder = choose_builder(project.environment)
    if builder.program:
        built = buildx.build(engine, builder.program, spec, recipe, project.environment, report)
    else:
        built = build(engine, spec, recipe, report)
    if choice.remember:
        after = recipe_of(engine, definition)  # the build may have brought the images it starts from
        same = after.context.only == recipe.context.only
        choice.remember(built.image_id, _inputs(definition, after, built.context_digest if same else ""))


def _tell_weight(recipe: Recipe, report: Callable[[str], None]) -> None:
    """Name the largest files of a context that is large: mostly they are not meant to be sent."""
    weight = recipe.context.weigh()
    if weight.size > LARGE_CONTEXT:
        listed = ", ".join(f"{name} ({size / 1e6:.1f} MB)" for size, name in weight.largest)
        report(
            f"the build context {recipe.context.root} holds {weight.files} files, "
            f"{weight.size / 1e6:.0f} MB; the largest: {listed}. "
            f"Leave out what the image does not need: {recipe.context.root / IGNORE_FILE}"
        )


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
    definition = definition_of(service)
    arguments, secrets = dict(definition.args), [_secret(project, service, use) for use in definition.secrets]
    if choice.ca_bundle:
        arguments.setdefault(certificate_bundle.ARGUMENT, read_bundle(choice.ca_bundle))
        secrets.append(BuildSecret(certificate_bundle.SECRET, str(choice.ca_bundle.resolve())))
    return BuildSpec(
        tag=service.image_name(project.name),
        context=definition.context,
        dockerfile=definition.dockerfile,
        target=definition.target,
        args=arguments,
        labels={**definition.labels, **labels.image_labels(project, service)},
        cache_from=definition.cache_from,
        network=definition.network,
        platform=_platform(project, service, definition),
        pull=choice.pull or definition.pull,
        no_cache=choice.no_cache or definition.no_cache,
        extra_hosts=definition.extra_hosts,
        shm_size=definition.shm_size,
        more_tags=definition.tags,
        cache_to=definition.cache_to,
        contexts=definition.additional_contexts,
        secrets=tuple(secrets),
    )


def _platform(project: Project, service: Service, definition: Build) -> str | None:
    """Return the platform to build for; of several only the engine's own makes sense on one engine."""
    wanted = service.platform or project.environment.get("DOCKER_DEFAULT_PLATFORM")
    return wanted or (definition.platforms[0] if len(definition.platforms) == 1 else None)


def _secret(project: Project, service: Service, use: FileReference) -> BuildSecret:
    """Return a secret for BuildKit; its id is the target where the file names one."""
    secret = project.secrets[use.source]
    if not (secret.file or secret.environment):
        raise ConfigError(
            f"service {service.name}: build.secrets: {use.source} is neither a file nor a variable",
            hint=f"give secrets.{use.source} a file or an environment",
        )
    if secret.file and not Path(secret.file).is_file():
        raise ConfigError(
            f"service {service.name}: build.secrets: there is no file {secret.file}",
            hint=f"write it, or correct secrets.{use.source}.file",
        )
    if secret.environment and secret.environment not in project.environment:
        raise ConfigError(
            f"service {service.name}: build.secrets: the variable {secret.environment} is not set",
            hint=f"set {secret.environment}, in the environment or in .env",
        )
    return BuildSecret(use.target or use.source, secret.file, secret.environment)
