"""Read the Docker CLI's stored contexts, with their TLS material.

Layout below the configuration directory: ``contexts/meta/<id>/meta.json`` and
``contexts/tls/<id>/docker/{ca,cert,key}.pem``; the id is the SHA-256 of the name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.engine.docker_config import read_config
from mcpctl.engine.types import Tls

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class StoredContext:
    """One context: the engine's address and how it is secured."""

    host: str
    tls: Tls | None


def current(directory: Path) -> str | None:
    """Return the context that ``docker context use`` chose, or None.

    Raises:
        ConfigError: the Docker CLI's configuration cannot be read.
    """
    name = read_config(directory).get("currentContext")
    return name if isinstance(name, str) and name and name != "default" else None


def stored(directory: Path) -> dict[str, StoredContext]:
    """Return every context that can be read, by name."""
    found: dict[str, StoredContext] = {}
    for path in directory.glob("contexts/meta/*/meta.json"):
        try:
            meta = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
            endpoint = cast("dict[str, Any]", meta["Endpoints"]["docker"])
            material = directory / "contexts" / "tls" / path.parent.name / "docker"
            tls = _tls(material, skip_verify=bool(endpoint.get("SkipTLSVerify")))
            found[str(meta["Name"])] = StoredContext(str(endpoint["Host"]), tls)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # a damaged context must not stop another one; its own name is then reported as unknown
            continue
    return found


def _tls(material: Path, *, skip_verify: bool) -> Tls | None:
    files = [str(path) if path.exists() else None for path in map(material.joinpath, NAMES)]
    if not any(files) and not skip_verify:
        return None
    return Tls(not skip_verify, *files)
