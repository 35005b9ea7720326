"""What mcpctl keeps in ``.mcpctl/`` of a project: the lock and the audit trail.

The lock is held by the kernel (``flock``), so a killed mcpctl never leaves a stale one; the file's text only
tells a second one who holds it.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mcpctl.errors import Locked, McpctlError

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import IO

FOLDER = ".mcpctl"
RETRY_SECONDS = 0.2
KEPT_BUILDS = 50


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One finished command that changes something; ``arguments`` hold no secret."""

    command: str
    arguments: tuple[str, ...]
    exit_code: int
    seconds: float


class State:
    """The state folder of one project."""

    def __init__(self, project_directory: Path) -> None:
        self.folder = project_directory / FOLDER

    def _open(self, name: str) -> IO[str]:
        """Open a file of the folder to append to."""
        try:
            self.folder.mkdir(exist_ok=True)
            return (self.folder / name).open("a+", encoding="utf-8")
        except OSError as error:
            raise McpctlError(
                f"cannot write to {self.folder}: {error.strerror}",
                hint=f"make {self.folder} writable (did root make it?), or name another project with -C",
                details={"path": str(error.filename or self.folder)},
            ) from error

    @contextmanager
    def locked(self, command: str, *, wait: float = 0) -> Generator[None]:
        """Hold the project's lock; wait at most ``wait`` seconds for it.

        Raises:
            Locked: another mcpctl works on the project (exit 8).
        """
        with self._open("lock") as file:
            _acquire(file, wait)
            _describe(file, command)
            try:
                yield
            finally:
                file.truncate(0)

    def built_images(self) -> dict[str, str]:
        """Return the digest of the inputs of each image that was built here, by the image's id."""
        try:
            known: object = json.loads((self.folder / "builds.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # a lost or damaged note costs one cached build
            return {}
        return cast("dict[str, str]", known) if isinstance(known, dict) else {}

    def remember_build(self, image_id: str, inputs: str) -> None:
        """Note what went into an image; the newest notes are kept."""
        known = [(key, value) for key, value in self.built_images().items() if key != image_id]
        with self._open("builds.partial") as file:
            file.truncate(0)
            json.dump(dict([*known, (image_id, inputs)][-KEPT_BUILDS:]), file)
        (self.folder / "builds.partial").replace(self.folder / "builds.json")

    def audit(self, entry: AuditEntry) -> None:
        """Append one line to the audit trail."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "user": _user(),
            "host": socket.gethostname(),
            "command": entry.command,
            "arguments": list(entry.arguments),
            "exit_code": entry.exit_code,
            "seconds": round(entry.seconds, 3),
        }
        with self._open("audit.jsonl") as file:
            file.write(json.dumps(line) + "\n")


def _acquire(file: IO[str], wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _held(file) from None
            time.sleep(RETRY_SECONDS)
        else:
            return


def _describe(file: IO[str], command: str) -> None:
    holder = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file.truncate(0)
    file.write(json.dumps(holder))
    file.flush()


def _held(file: IO[str]) -> Locked:
    file.seek(0)
    holder: dict[str, object] = {}
    try:
        holder = cast("dict[str, object]", json.loads(file.read()))
        where = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
        who = f"`mcpctl {holder['command']}` ({where})"
    except (ValueError, KeyError, TypeError):  # it may be between truncating and writing
        who = "another mcpctl"
    return Locked(
        f"{who} works on this project",
        hint="wait for it, or give --lock-wait SECONDS",
        details={"holder": holder},
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return str(os.getuid())
