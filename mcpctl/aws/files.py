"""Read the profiles in ``~/.aws``, without botocore and without ever showing a line of them.

The rules are those of the AWS SDKs' shared configuration: in ``config`` a profile's section is
``profile NAME`` or ``default``, in ``credentials`` it is the bare name, and keys in ``credentials`` win.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcpctl.aws.settings import Settings


@dataclass(frozen=True, slots=True)
class SharedFiles:
    """The profiles of both files, and the SSO sessions that profiles refer to."""

    profiles: Mapping[str, Mapping[str, str]]
    sso_sessions: Mapping[str, Mapping[str, str]]
    keyed: frozenset[str]


def read(settings: Settings) -> SharedFiles:
    """Read both files; one that is not there is empty.

    Raises CredentialsError, with the line, for a file that cannot be read or understood.
    """
    profiles: dict[str, dict[str, str]] = {}
    sessions: dict[str, dict[str, str]] = {}
    for section, keys in _sections(settings.config_file):
        kind, _, name = section.partition(" ")
        if section == "default":
            profiles["default"] = keys
        elif kind == "profile":
            profiles[_unquoted(name)] = keys
        elif kind == "sso-session":
            sessions[_unquoted(name)] = keys
    shared = _sections(settings.credentials_file)
    for section, keys in shared:
        profiles[section] = {**profiles.get(section, {}), **keys}
    keyed = frozenset(section for section, keys in shared if "aws_access_key_id" in keys)
    return SharedFiles(profiles, sessions, keyed)


def _sections(path: Path) -> list[tuple[str, dict[str, str]]]:
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CredentialsError(f"{path} cannot be read: {reason}", hint=f"ls -l {path}") from error
    except configparser.Error as error:
        # The parser's own message repeats the line, which may hold a secret.
        line = _line(error)
        where = f"{path}, line {line}" if line else str(path)
        raise CredentialsError(
            f"{where}: {_kind(error)}",
            hint=f"mend the file: {path}",
            details={"file": str(path), "line": line},
        ) from None
    return [(name, dict(parser.items(name))) for name in parser.sections()]


def _kind(error: configparser.Error) -> str:
    match error:
        case configparser.MissingSectionHeaderError():
            return "a setting stands before the first [section]"
        case configparser.DuplicateSectionError():
            return f"the section [{error.section}] is there twice"
        case configparser.DuplicateOptionError():
            return f"{error.option} is set twice in [{error.section}]"
        case _:
            return "this is not `name = value`"


def _line(error: configparser.Error) -> int | None:
    several: list[tuple[int, str]] = getattr(error, "errors", [])
    return several[0][0] if several else getattr(error, "lineno", None)


def _unquoted(name: str) -> str:
    return name.strip().strip("\"'")
