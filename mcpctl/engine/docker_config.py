"""The Docker CLI's own configuration: where it is, and its ``config.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder that the Docker CLI keeps its configuration in."""
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker")


def read_config(folder: Path) -> dict[str, object]:
    """Return what ``config.json`` holds; nothing where there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    path = folder / "config.json"
    try:
        config: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", hint="mend the file, or name another folder in DOCKER_CONFIG"
        ) from error
    return cast("dict[str, object]", config) if isinstance(config, dict) else {}
