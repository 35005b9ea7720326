"""What goes into one image: its Dockerfile, the images it starts from, what it reads of the context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.engine.context import open_context
from mcpctl.engine.dockerfile import parse
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcpctl.engine.client import Engine
    from mcpctl.engine.context import Context
    from mcpctl.engine.dockerfile import Dockerfile


@dataclass(frozen=True, slots=True)
class Recipe:
    """The inputs of a build; ``bases`` maps images to their local ids, None where they are not here."""

    context: Context
    dockerfile: Dockerfile
    bases: Mapping[str, str | None]


def read_recipe(
    engine: Engine,
    folder: str,
    dockerfile: str,
    arguments: Mapping[str, str | None],
    target: str | None = None,
    *,
    pull: bool = False,
) -> Recipe:
    """Read a Dockerfile and narrow its context to what it reads.

    The whole context stays where an image it starts from is not known yet, or is to be pulled anew: it may
    bring ONBUILD instructions.

    Raises:
        ConfigError: the folder or the Dockerfile is not there, or cannot be read.
    """
    context = open_context(folder, dockerfile)
    parsed = read_dockerfile(context.file)
    images = {
        name: engine.find_image(name) if "$" not in name else None for name in parsed.bases(arguments, target)
    }
    known = not pull and all(image and not image.on_build for image in images.values())
    bases = {name: image.id if image else None for name, image in images.items()}
    return Recipe(context.narrowed(parsed.needed() if known else None), parsed, bases)


def read_dockerfile(file: Path) -> Dockerfile:
    """Read a Dockerfile.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return parse(file.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", hint="make it readable for this user"
        ) from error
