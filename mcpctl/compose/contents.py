"""What secrets and configs contain, and a digest by which a changed one is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import FileObject, Project, Service

_DIGEST_BYTES = 8
_SCRYPT_COST = 2**12


def content(definition: FileObject, environment: Mapping[str, str]) -> bytes | None:
    """Return what a secret or config of ``content`` or ``environment`` holds; None for any other.

    Raises:
        ConfigError: the variable is not set.
    """
    if definition.content is not None:
        return definition.content.encode()
    if definition.environment is None:
        return None
    if definition.environment not in environment:
        raise ConfigError(
            f"{definition.key!r} is taken from the variable {definition.environment}, which is not set",
            hint=f"set {definition.environment} in the environment or in .env",
            details={"key": definition.key, "variable": definition.environment},
        )
    return environment[definition.environment].encode()


def digests(project: Project) -> dict[str, str]:
    """Return the digest of each secret and config, as ``configs.KEY``; what cannot be read has none.

    A secret's digest is slow to compute and salted with its place: it ends up in a label, and a short
    password must not be found by trying.
    """
    found: dict[str, str] = {}
    for section, objects in (("configs", project.configs), ("secrets", project.secrets)):
        for key, definition in objects.items():
            data = _readable(definition, project.environment)
            if data is not None:
                salt = f"{project.name}/{section}.{key}".encode()
                found[f"{section}.{key}"] = _slow(data, salt) if section == "secrets" else _fast(data)
    return found


def _readable(definition: FileObject, environment: Mapping[str, str]) -> bytes | None:
    try:
        if definition.file is not None:
            return Path(definition.file).read_bytes()
        return content(definition, environment)
    except (OSError, ConfigError):  # a folder, or missing: creating the container tells that, with its name
        return None


def _fast(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[: 2 * _DIGEST_BYTES]


def _slow(data: bytes, salt: bytes) -> str:
    return hashlib.scrypt(data, salt=salt, n=_SCRYPT_COST, r=8, p=1, dklen=_DIGEST_BYTES).hex()


def label(service: Service, known: Mapping[str, str]) -> str:
    """Return the digests of what one service uses, as its container's label holds them."""
    keys = {f"configs.{use.source}" for use in service.configs}
    keys |= {f"secrets.{use.source}" for use in service.secrets}
    return ",".join(f"{key}={known[key]}" for key in sorted(keys) if key in known)


def read_label(text: str) -> dict[str, str]:
    """Return the digests that a label holds."""
    return {key: digest for key, _, digest in (part.partition("=") for part in text.split(",") if part)}
