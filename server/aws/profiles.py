"""The profiles of the AWS files: what each is made of, without its secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.session import Session


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile; ``problem`` says why it cannot work as written."""

    name: str
    source: str
    region: str | None
    role_arn: str | None
    problem: str | None


def profiles_of(session: Session) -> list[Profile]:
    """Return the profiles of both files, by name.

    Raises:
        botocore.exceptions.ConfigParseError: when a file cannot be read as a config file.
    """
    full = cast("Mapping[str, Any]", session.full_config)
    sections = cast("Mapping[str, Mapping[str, Any]]", full.get("profiles", {}))
    return [_profile(name, sections) for name in sorted(sections)]


def _profile(name: str, sections: Mapping[str, Mapping[str, Any]]) -> Profile:
    section = sections[name]
    source = _source(section)
    return Profile(
        name, source, section.get("region"), section.get("role_arn"), _problem(source, section, sections)
    )


def _source(section: Mapping[str, Any]) -> str:
    """Name the source in botocore's order: a role first, keys last."""
    if "role_arn" in section:
        return "web-identity" if "web_identity_token_file" in section else "assume-role"
    if "sso_session" in section or "sso_start_url" in section:
        return "sso"
    if "login_session" in section:
        return "login"
    if "aws_access_key_id" in section:
        return "shared-credentials-file"
    if "credential_process" in section:
        return "credential-process"
    return "none"


def _problem(
    source: str, section: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]]
) -> str | None:
    if source == "shared-credentials-file" and "aws_secret_access_key" not in section:
        return "aws_access_key_id without aws_secret_access_key"
    if source == "assume-role":
        base = section.get("source_profile")
        if base is None and "credential_source" not in section:
            return "role_arn needs source_profile or credential_source"
        if base is not None and base not in sections:
            return f"source_profile {base!r} does not exist"
    if source == "none":
        return "no credentials in this profile"
    return None
