"""What `build` would do, image by image, and why; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcpctl.compose.output import mask_value
from mcpctl.engine.builders import choose_builder
from mcpctl.stack.images import build_inputs, build_spec, definition_of, recipe_of, why_not_buildable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcpctl.compose.model import Project
    from mcpctl.engine.builders import Builder
    from mcpctl.engine.client import Engine
    from mcpctl.engine.context import Weight
    from mcpctl.engine.recipe import Recipe
    from mcpctl.engine.types import BuildSpec
    from mcpctl.stack.images import BuildChoice

State = Literal["missing", "current", "changed", "unknown"]


@dataclass(frozen=True, slots=True)
class ImageExplanation:
    """One image: what goes into it and whether it is up to date."""

    service: str
    spec: BuildSpec
    recipe: Recipe
    weight: Weight
    state: State
    problem: str | None

    def to_json(self) -> dict[str, object]:
        """Return the form that `build --explain -o json` prints."""
        context, spec = self.recipe.context, self.spec
        return {
            "service": self.service,
            "image": spec.tag,
            "state": self.state,
            "problem": self.problem,
            "context": spec.context,
            "dockerfile": str(context.file),
            "ignore_file": str(context.ignore_file) if context.ignore_file else None,
            "target": spec.target,
            "platform": spec.platform,
            "args": {key: mask_value(key, value or "") for key, value in spec.args.items()},
            "secrets": [item.id for item in spec.secrets],
            "base_images": [{"image": name, "id": found} for name, found in self.recipe.bases.items()],
            "needed": None if context.only is None else sorted(context.only),
            "files": self.weight.files,
            "bytes": self.weight.size,
            "largest": [{"path": name, "bytes": size} for size, name in self.weight.largest],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """The builder that would be used, and the images."""

    builder: Builder
    images: tuple[ImageExplanation, ...]

    def to_json(self) -> dict[str, object]:
        """Return the form that `build --explain -o json` prints."""
        program = self.builder.program
        return {
            "builder": {
                "name": self.builder.name,
                "reason": self.builder.reason,
                "program": str(program) if program else None,
            },
            "images": [image.to_json() for image in self.images],
        }


def explain(
    engine: Engine,
    project: Project,
    services: Iterable[str],
    choice: BuildChoice,
    built: Mapping[str, str],
) -> Explanation:
    """Look at each image's inputs; ``built`` holds the digest of those that went into images, by id."""
    images = [_image(engine, project, name, choice, built) for name in services]
    return Explanation(choose_builder(project.environment), tuple(images))


def _image(
    engine: Engine, project: Project, name: str, choice: BuildChoice, built: Mapping[str, str]
) -> ImageExplanation:
    service = project.services[name]
    spec = build_spec(project, service, choice)
    recipe = recipe_of(engine, definition_of(service), pull=spec.pull)
    image = engine.find_image(spec.tag)
    state: State = "missing"
    if image:
        known = built.get(image.id)
        state = "unknown"
        if known and known != build_inputs(engine, service):
            state = "changed"
        elif known and not spec.contexts:
            state = "current"
    refusal = why_not_buildable(project, service)
    return ImageExplanation(
        name, spec, recipe, recipe.context.weigh(), state, refusal.message if refusal else None
    )
