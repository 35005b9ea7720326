"""Tell cheaply whether this machine has AWS credentials, and from which source, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.aws import files
from mcpctl.aws import settings as aws_settings
from mcpctl.aws.profiles import source_of
from mcpctl.aws.settings import SANDBOX_KEY
from mcpctl.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcpctl.aws.settings import Settings


def credentials_present(environment: Mapping[str, str], home: Path | None = None) -> str | None:
    """Name the source of credentials that would win, or give None; instance metadata is not asked.

    What is named may still be broken or expired: `mcpctl aws validate` tells.
    """
    settings = aws_settings.effective(environment, home)
    variables = settings.variables
    if "AWS_ACCESS_KEY_ID" in variables and not settings.sandbox_keys:
        return "environment: AWS_ACCESS_KEY_ID"
    profile = _profile(settings)
    if profile is not None and profile.startswith("assume-role"):
        return profile
    if {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"} <= variables.keys():
        return "web-identity: AWS_WEB_IDENTITY_TOKEN_FILE"
    if profile is not None:
        return profile
    container = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    return next((f"container-role: {name}" for name in container if name in variables), None)


def _profile(settings: Settings) -> str | None:
    try:
        found = files.read(settings)
    except CredentialsError as error:
        # Files that somebody wrote and that cannot be used are a fault to show, not an absence.
        return f"files: {error.message}"
    name = settings.profile or "default"
    section = found.profiles.get(name)
    if section is None:
        return f"profile {name}: not found" if settings.profile else None
    if section.get("aws_access_key_id") == SANDBOX_KEY:
        return None
    source = source_of(name, found)
    if source == "none":
        return f"profile {name}: no credentials in it" if settings.profile else None
    return f"{source}: profile {name}"
