"""Choose who builds: `docker buildx` where it is installed, else the engine's own classic builder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mcpctl.engine.docker_config import config_folder, read_config
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PLUGIN = "docker-buildx"
GET_BUILDX = "apt-get install docker-buildx (from Docker's own archive: docker-buildx-plugin)"
SYSTEM_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where the docker CLI looks for plugins, after the user's own folder."""
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}


@dataclass(frozen=True, slots=True)
class Builder:
    """Who builds and why; without ``program`` it is the engine's own classic builder."""

    reason: str
    program: Path | None = None

    @property
    def name(self) -> str:
        """Return the name that people know it by."""
        return "buildx" if self.program else "classic"


def choose_builder(environ: Mapping[str, str]) -> Builder:
    """Return the builder that the docker CLI would use; ``DOCKER_BUILDKIT`` decides before what is installed.

    Raises:
        ConfigError: ``DOCKER_BUILDKIT`` asks for what is not there, or is no truth value.
    """
    wish = environ.get("DOCKER_BUILDKIT", "")
    if wish and wish not in _TRUE | _FALSE:
        raise ConfigError(
            f"DOCKER_BUILDKIT={wish} is neither true nor false", hint="set it to 0 or 1, or unset it"
        )
    if wish in _FALSE:
        return Builder(f"DOCKER_BUILDKIT={wish}")
    folders = plugin_folders(environ)
    for folder in folders:
        program = folder / PLUGIN
        if program.is_file() and os.access(program, os.X_OK):
            return Builder(f"{program} is installed", program)
    if wish:
        raise ConfigError(
            f"DOCKER_BUILDKIT={wish} asks for BuildKit, but docker buildx is not installed",
            hint=f"{GET_BUILDX}, or unset DOCKER_BUILDKIT",
            details={"looked_in": [str(folder) for folder in folders]},
        )
    return Builder("docker buildx is not installed")


def plugin_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where the docker CLI looks for plugins, in its order."""
    home = config_folder(environ)
    try:
        extra = read_config(home).get("cliPluginsExtraDirs")
    except ConfigError:  # what is wrong with it is told where the endpoint is looked for
        extra = None
    named = cast("list[object]", extra) if isinstance(extra, list) else []
    return (*(Path(str(folder)) for folder in named), home / "cli-plugins", *map(Path, SYSTEM_FOLDERS))
