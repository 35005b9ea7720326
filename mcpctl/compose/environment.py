"""The variables that interpolation sees: the process environment, then env files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.compose import dotenv
from mcpctl.compose.discovery import Found, Where, absolute, discover
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Files, folder and variables of a project. ``env_files`` are those that the user named."""

    found: Found
    variables: dict[str, str]
    env_files: tuple[Path, ...]
    unset: tuple[str, ...] = ()


def survey(where: Where, env_files: tuple[str, ...], environ: Mapping[str, str]) -> Surroundings:
    """Find the files and read the env files.

    Done twice, as compose does: ``COMPOSE_FILE`` and its kin may stand in the ``.env`` that the first round
    finds.
    """
    named = env_files or tuple(filter(None, environ.get("COMPOSE_ENV_FILES", "").split(",")))
    paths = tuple(absolute(where.working_directory, name) for name in named)
    variables = dict(environ)
    unset: dict[str, None] = {}
    found = discover(where, variables)
    for _round in range(2):
        for name, value in _read(paths or _default(found.directory, variables), variables, unset).items():
            variables.setdefault(name, value)
        again = discover(where, variables)
        if again == found:
            break
        found = again
    return Surroundings(found, variables, paths, tuple(unset))


def _default(directory: Path, variables: Mapping[str, str]) -> tuple[Path, ...]:
    disabled = variables.get("COMPOSE_DISABLE_ENV_FILE")
    if disabled is not None and _flag(disabled):
        return ()
    file = directory / ".env"
    return (file,) if file.is_file() else ()


def _flag(word: str) -> bool:
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ConfigError(
        f"COMPOSE_DISABLE_ENV_FILE is {word!r}, which is neither true nor false",
        hint="set COMPOSE_DISABLE_ENV_FILE=true or unset it",
    )


def _read(files: tuple[Path, ...], variables: Mapping[str, str], unset: dict[str, None]) -> dict[str, str]:
    values: dict[str, str] = {}

    def lookup(name: str) -> str | None:
        value = variables.get(name)
        return values.get(name) if value is None else value

    for file in files:
        values |= dotenv.parse(read_text(file, "env file"), lookup, str(file), unset.setdefault)
    return values


def read_text(file: Path, what: str) -> str:
    """Return the text of a file; raise ConfigError naming it and the reason."""
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (byte {error.start})"
    except FileNotFoundError:
        reason = "does not exist"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    raise ConfigError(f"the {what} {file} {reason}", hint=f"check {file}", details={"file": str(file)})
