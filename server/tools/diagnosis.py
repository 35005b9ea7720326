"""The checks behind the identity tools: each says what it found and what to do about it."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from server.aws.errors import fault_of
from server.aws.identity import Identity, caller_identity
from server.aws.profiles import profiles_of
from server.aws.session import DEFAULT_REGION, Origin, Sessions, config_files, region_of
from server.tools.models import Check, ConfigFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
#: AWS refuses requests whose time differs by more than 5 minutes (SigV4); warn well before.
_SKEW_LIMIT: Final = 240
_NO_CREDENTIALS: Final = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in .env"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the checks found out."""

    profile: str | None
    region: str
    origin: Origin | None
    identity: Identity | None
    checks: list[Check]


def diagnose(sessions: Sessions, profile: str | None, region: str | None) -> Diagnosis:
    """Check profile, region, credentials and identity, in this order; a failed step ends the walk.

    Raises:
        Fault: FORBIDDEN when callers may not name the profile.
    """
    sessions.check_profile(profile)
    checks: list[Check] = []
    chosen = None if sessions.sandbox else profile or os.environ.get("AWS_PROFILE")
    found_region = region or DEFAULT_REGION
    origin: Origin | None = None
    identity: Identity | None = None
    if _profile_exists(sessions, chosen, checks):
        found_region = _region(sessions, profile, region, checks)
        origin = _attempt("credentials", checks, lambda: _origin(sessions, profile, checks))
    if origin is not None:
        identity = _attempt("identity", checks, lambda: caller_identity(sessions, profile, region))
    if identity is not None:
        who = "the sandbox" if sessions.is_sandbox(identity.account) else "AWS"
        checks.append(Check(name="identity", ok=True, message=f"{who} answered for {identity.arn}"))
    elif origin is not None:
        # Whatever was wrong with these credentials, the next call looks for better ones.
        sessions.forget()
    return Diagnosis(chosen, found_region, origin, identity, checks)


def environment_checks(identity: Identity | None, files: list[ConfigFile]) -> list[Check]:
    """Check the clock and the files."""
    checks = [
        Check(
            name="files",
            ok=False,
            message=f"{file.path} exists but cannot be read by uid {os.getuid()}",
            hint=f"setfacl -m u:{os.getuid()}:r on the file, and :rx on its folder",
        )
        for file in files
        if file.exists and not file.readable
    ]
    skew = identity.clock_skew_seconds if identity else None
    if skew is not None:
        ok = abs(skew) < _SKEW_LIMIT
        hint = None if ok else "set the clock of the host, for example with timedatectl set-ntp true"
        checks.append(Check(name="clock", ok=ok, message=f"this clock is {skew:+.1f} s off AWS's", hint=hint))
    return checks


def file_report() -> list[ConfigFile]:
    """Return which of the AWS files exist and can be read."""
    return [_file(path) for path in config_files()]


def _file(path: Path) -> ConfigFile:
    try:
        exists = path.exists()
    except PermissionError:
        # The folder itself is closed: the file is there for all that can be known.
        exists = True
    return ConfigFile(path=str(path), exists=exists, readable=os.access(path, os.R_OK))


def _profile_exists(sessions: Sessions, profile: str | None, checks: list[Check]) -> bool:
    names = _attempt("profile", checks, lambda: [found.name for found in profiles_of(sessions.session())])
    if names is None:
        return False
    if profile is None or profile in names:
        return True
    usable = [name for name in names if sessions.allowed(name)]
    near = difflib.get_close_matches(profile, usable, n=1)
    hint = f"did you mean {near[0]}?" if near else "aws/list-profiles shows the profiles of the mounted files"
    checks.append(Check(name="profile", ok=False, message=f"there is no profile {profile!r}", hint=hint))
    return False


def _region(sessions: Sessions, profile: str | None, region: str | None, checks: list[Check]) -> str:
    found = region or region_of(sessions.session(profile))
    checks.append(Check(name="region", ok=True, message=found))
    return found


def _origin(sessions: Sessions, profile: str | None, checks: list[Check]) -> Origin | None:
    origin = sessions.origin(profile)
    if origin is None:
        missing = "no credential source has any credentials"
        checks.append(Check(name="credentials", ok=False, message=missing, hint=_NO_CREDENTIALS))
        return None
    checks.append(Check(name="credentials", ok=True, message=_told(origin, profile)))
    return origin


def _told(origin: Origin, profile: str | None) -> str:
    message = f"from {origin.source}"
    if origin.source == "environment" and profile is None and "AWS_PROFILE" in os.environ:
        message += "; AWS_PROFILE is set too and gives way to AWS_ACCESS_KEY_ID"
    if origin.temporary:
        message += ", temporary"
    if origin.expires_at is not None:
        message += f", valid until {origin.expires_at.isoformat(timespec='seconds')}"
    return message


def _attempt(name: str, checks: list[Check], step: Callable[[], T]) -> T | None:
    """Run a step; a failure of AWS becomes a failed check, any other goes on."""
    try:
        return step()
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        checks.append(Check(name=name, ok=False, message=fault.message, hint=fault.hint))
        return None
