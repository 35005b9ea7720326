"""The CA bundle that a build is given where a proxy inspects TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENT = "MCP_CA_BUNDLE"
"""The build argument that holds the certificates as PEM."""
SECRET = "mcp-ca-bundle"  # noqa: S105 - the name of one
"""The secret that holds the same, with buildx: ``RUN --mount=type=secret,id=mcp-ca-bundle``."""
LARGEST = 120_000
"""Bytes; the kernel takes no variable over 128 KiB."""


def read_bundle(path: Path) -> str:
    """Return the certificates of a PEM file.

    Raises:
        ConfigError: it cannot be read, holds no certificate or a broken one, or a key, or is too large.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"--ca-bundle {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}",
            hint="name a PEM file with the proxy's certificate authority",
        ) from error
    if "PRIVATE KEY-----" in text:
        raise ConfigError(
            f"--ca-bundle {path} holds a private key",
            hint="name a file that holds certificates alone: it becomes part of the build",
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"--ca-bundle {path} holds no certificate that can be read ({error})",
            hint=f"see what is wrong: openssl x509 -noout -subject -in {path}",
        ) from error
    if len(text) > LARGEST:
        raise ConfigError(
            f"--ca-bundle {path} has {len(text)} bytes, more than a build argument can hold ({LARGEST})",
            hint="name a file with the proxy's own authority alone, not the system's whole bundle",
        )
    return text
