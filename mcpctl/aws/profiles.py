"""List the profiles of ``~/.aws``: what each is made of, why a broken one cannot work, and no secret."""

from __future__ import annotations

import difflib
import hashlib
import json
import shlex
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.aws import files
from mcpctl.aws import settings as aws_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.aws.files import SharedFiles

    Section = Mapping[str, str]

CREDENTIAL_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile; ``problem`` says why it cannot work as it is written."""

    name: str
    source: str
    region: str | None
    role_arn: str | None
    problem: str | None
    active: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong with the profile as far as its files tell."""
        return self.problem is None

    def to_json(self) -> dict[str, object]:
        """Give the profile as an entry of ``aws list-profiles``."""
        return {**asdict(self), "ok": self.ok}


def list_profiles(environment: Mapping[str, str], home: Path | None = None) -> tuple[Profile, ...]:
    """List the profiles by name; nothing is asked of AWS.

    Raises CredentialsError for a file that cannot be read or understood.
    """
    settings = aws_settings.effective(environment, home)
    found = files.read(settings)
    in_use = settings.profile or "default"
    return tuple(
        Profile(
            name,
            source_of(name, found),
            section.get("region"),
            section.get("role_arn"),
            _problem(name, found, settings.home),
            active=name == in_use,
        )
        for name, section in sorted(found.profiles.items())
    )


def nearest(name: str, names: Mapping[str, object]) -> str | None:
    """Give the name most like one that is not there."""
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.5)), None)


def source_of(name: str, found: SharedFiles) -> str:
    """Name the source that botocore takes for a profile, in its own order."""
    section = found.profiles[name]
    if "role_arn" in section:
        return "web-identity" if "web_identity_token_file" in section else "assume-role"
    if "sso_session" in section or "sso_start_url" in section:
        return "sso"
    if name in found.keyed:
        return "shared-credentials-file"
    if "login_session" in section:
        return "login"
    if "credential_process" in section:
        return "credential-process"
    return "config-file" if "aws_access_key_id" in section else "none"


def _problem(name: str, found: SharedFiles, home: Path) -> str | None:
    section = found.profiles[name]
    checks: Mapping[str, Callable[[], str | None]] = {
        "assume-role": lambda: _role_problem(name, found, home),
        "web-identity": lambda: _token_problem(section),
        "sso": lambda: _sso_problem(section, found, home),
        "shared-credentials-file": lambda: _key_problem(section),
        "config-file": lambda: _key_problem(section),
        "credential-process": lambda: _process_problem(section),
        "none": lambda: "no credentials in it: no keys, no role_arn, no SSO, no credential_process",
    }
    check = checks.get(source_of(name, found))
    return check() if check else None


def _key_problem(section: Section) -> str | None:
    return None if section.get("aws_secret_access_key") else "aws_access_key_id without aws_secret_access_key"


def _token_problem(section: Section) -> str | None:
    path = Path(section["web_identity_token_file"])
    return None if path.is_file() else f"web_identity_token_file is not there: {path}"


def _process_problem(section: Section) -> str | None:
    try:
        program = shlex.split(section["credential_process"])[0]
    except (ValueError, IndexError):
        return "credential_process is not a command"
    return None if shutil.which(program) else f"credential_process cannot be run: {program} is not there"


def _role_problem(name: str, found: SharedFiles, home: Path) -> str | None:
    """Follow ``source_profile`` to the profile that has credentials of its own."""
    seen = [name]
    while (base := found.profiles[seen[-1]].get("source_profile")) is not None:
        if base not in found.profiles:
            likely = nearest(base, found.profiles)
            return f"source_profile {base} does not exist" + (f"; is it {likely}?" if likely else "")
        if base == seen[-1] and base in found.keyed:
            return _key_problem(found.profiles[base])
        if base in seen:
            return f"source_profile goes round in a circle: {' -> '.join([*seen, base])}"
        seen.append(base)
    if len(seen) > 1 and "role_arn" not in found.profiles[seen[-1]]:
        problem = _problem(seen[-1], found, home)
        return f"source_profile {seen[-1]}: {problem}" if problem else None
    return _credential_source_problem(found.profiles[seen[-1]].get("credential_source"))


def _credential_source_problem(source: str | None) -> str | None:
    if source is None:
        return "role_arn needs source_profile or credential_source"
    known = ", ".join(CREDENTIAL_SOURCES)
    return None if source in CREDENTIAL_SOURCES else f"credential_source {source} is none of {known}"


def _sso_problem(section: Section, found: SharedFiles, home: Path) -> str | None:
    session = section.get("sso_session")
    if session is not None and session not in found.sso_sessions:
        return f"sso_session {session} does not exist"
    missing = [key for key in ("sso_account_id", "sso_role_name") if key not in section]
    if missing:
        return f"{' and '.join(missing)} missing"
    return _sign_in_problem(session or section["sso_start_url"], home)


def _sign_in_problem(key: str, home: Path) -> str | None:
    """Look at the cached sign-in; the SDKs name its file by the SHA-1 of the session or the start URL."""
    cached = home / ".aws/sso/cache" / f"{hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()}.json"
    try:
        token = json.loads(cached.read_text(encoding="utf-8"))
        expires = datetime.fromisoformat(token["expiresAt"].replace("UTC", "Z"))
    except FileNotFoundError:
        return "not signed in: aws sso login"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "the cached sign-in cannot be read: aws sso login"
    if expires < datetime.now(UTC) and "refreshToken" not in token:
        return "the sign-in has expired: aws sso login"
    return None
