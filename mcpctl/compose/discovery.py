"""Which files make up the project, and which folder is its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


@dataclass(frozen=True, slots=True)
class Found:
    """The project's files, possibly none, and its folder."""

    files: tuple[Path, ...]
    directory: Path
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """What decides on the files: the working directory and the flags ``-C`` and ``-f``."""

    working_directory: Path
    project_directory: Path | None
    files: tuple[str, ...]


def discover(where: Where, environ: Mapping[str, str]) -> Found:
    """Find the project's files: ``-f``, else ``COMPOSE_FILE``, else upward from the folder.

    Raise ConfigError where a named file does not exist.
    """
    cwd = where.working_directory
    warnings: tuple[str, ...] = ()
    files = tuple(absolute(cwd, name) for name in where.files)
    origin = "-f"
    if not files and "COMPOSE_FILE" in environ:
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        files = tuple(absolute(cwd, name) for name in environ["COMPOSE_FILE"].split(separator))
        origin = "COMPOSE_FILE"
    for file in files:
        _check(file, origin)
    own = absolute(cwd, str(where.project_directory)) if where.project_directory else None
    if not files:
        files, warnings = _upward(own or cwd)
    directory = own or (files[0].parent if files else cwd)
    return Found(files, directory, warnings)


def absolute(cwd: Path, name: str) -> Path:
    """Return ``name`` as an absolute path without ``.`` and ``..``; links stay."""
    return Path(os.path.normpath(cwd / name))


def no_project_file(directory: Path) -> ConfigError:
    """Return the error for a folder without a project file in it or above it."""
    return ConfigError(
        f"no project file in {directory} or any folder above it (looked for {', '.join(FILE_NAMES)})",
        hint="name the project with -C DIR or -f FILE",
        details={"directory": str(directory), "names": list(FILE_NAMES)},
    )


def _check(file: Path, origin: str) -> None:
    if file.name == "-":
        raise ConfigError(
            f"{origin} -: a project file cannot be read from standard input", hint="name a file: -f FILE"
        )
    if not file.exists():
        raise ConfigError(
            f"the project file {file} (from {origin}) does not exist",
            hint="correct -f or COMPOSE_FILE",
            details={"file": str(file), "origin": origin},
        )


def _upward(start: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    for folder in (start, *start.parents):
        main = _present(folder, FILE_NAMES)
        if main:
            override = _present(folder, OVERRIDE_NAMES)
            return (*main[:1], *override[:1]), (*_several(main), *_several(override))
    return (), ()


def _present(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()]


def _several(files: list[Path]) -> tuple[str, ...]:
    if len(files) < 2:
        return ()
    return (f"several project files in {files[0].parent}: using {files[0].name}, not {files[1].name}",)
