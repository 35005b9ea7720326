"""What mcpctl keeps in ``.mcpctl/`` of a project: the lock, the journal and the audit trail.

The lock is held by the kernel (``flock``), so a killed mcpctl never leaves a stale one; the file's text only
tells a second one who holds it. A project folder on a network file system is locked for all its machines.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import socket
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mcpctl import journal
from mcpctl.errors import Locked, McpctlError
from mcpctl.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import IO

    from mcpctl.journal import Operation

FOLDER = ".mcpctl"
RETRY_SECONDS = 0.2
PASSING_SECONDS = 0.1
"""A reader that asks whether the lock is held holds it for a moment itself: so long it is tried again."""
SETTLE_SECONDS = 0.5
"""The engine carries out what a process asked of it before it died: within this time, as a rule."""
KEPT_BUILDS = 50


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One finished command that changes something; ``arguments`` hold no secret."""

    command: str
    arguments: tuple[str, ...]
    exit_code: int
    seconds: float


class State:
    """The state folder of one project; ``warn`` hears of notes that could not be written."""

    def __init__(self, project_directory: Path, warn: Callable[[str], None] = lambda _text: None) -> None:
        self.folder = project_directory / FOLDER
        self._warn = warn

    def _open(self, name: str) -> IO[str]:
        """Open a file of the folder to append to; a link that leads elsewhere is refused."""
        try:
            self.folder.mkdir(exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
            number = os.open(self.folder / name, flags, 0o666)
        except OSError as error:
            reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
            raise self._unwritable(f"{error.filename or self.folder}", f"{reason}") from error
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise self._unwritable(str(self.folder / name), "it is no ordinary file")
        return os.fdopen(number, "a+", encoding="utf-8")

    def _unwritable(self, path: str, reason: str) -> McpctlError:
        return McpctlError(
            f"cannot write to {path}: {reason}",
            hint=f"make {self.folder} writable (did root make it?), or name another project with -C",
            details={"path": path},
        )

    @contextmanager
    def locked(self, command: str, *, wait: float = 0) -> Generator[None]:
        """Hold the project's lock; wait at most ``wait`` seconds for it.

        Raises:
            Locked: another mcpctl works on the project (exit 8).
        """
        with self._open("lock") as file:
            try:
                _acquire(file, max(wait, PASSING_SECONDS))
            except OSError as error:
                raise McpctlError(
                    f"cannot lock {self.folder / 'lock'}: {error.strerror}",
                    hint="keep the project on a file system that can lock files, and name it with -C",
                ) from error
            self._noted(lambda: _describe(file, command))
            try:
                yield
            finally:
                self._noted(lambda: os.ftruncate(file.fileno(), 0))

    def _noted(self, write: Callable[[], object]) -> None:
        """Write a note; where the disk is full the work goes on without it, and says so."""
        try:
            write()
        except OSError as error:
            self._warn(f"cannot write to {self.folder}: {error.strerror}")
        except McpctlError as error:
            self._warn(error.message)

    # the journal

    def journal(self, command: str, arguments: tuple[str, ...]) -> Journal:
        """Return the journal of an operation that begins now; hold the lock for it."""
        header: dict[str, object] = {"command": command, "arguments": list(arguments), "user": _user()}
        return Journal(self.folder / "journal.json", header, self._warn)

    def interrupted(self) -> Operation | None:
        """Return the operation that a dead process left; None where there is none or it still runs."""
        path = self.folder / "journal.json"
        found = journal.read(path)
        if found is None or self._held():
            return None
        again = journal.read(path)  # an operation may have ended, or another begun, since the first look
        return again if again and (again.pid, again.started_at) == (found.pid, found.started_at) else None

    def _held(self) -> bool:
        """Tell whether a living process holds the lock, without write access."""
        try:
            with (self.folder / "lock").open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # no lock file, or one that we may not read: then nothing is known of a holder
            return False
        return False

    def left_behind(self) -> Operation | None:
        """Return what an interrupted operation left, once the engine has had time to end what it was asked.

        Call it while holding the lock: then whatever is there was left by a process that died.
        """
        path = self.folder / "journal.json"
        found = journal.read(path)
        if found and found.under_way:
            age = time.time() - path.stat().st_mtime
            time.sleep(min(max(SETTLE_SECONDS - age, 0), SETTLE_SECONDS))
        return found

    # notes

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
        newest = json.dumps(dict([*known, (image_id, inputs)][-KEPT_BUILDS:]))

        def write() -> None:
            with self._open("builds.partial") as file:
                file.truncate(0)
                file.write(newest)
            (self.folder / "builds.partial").replace(self.folder / "builds.json")

        self._noted(write)

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

        def write() -> None:
            with self._open("audit.jsonl") as file:
                file.write(json.dumps(line) + "\n")

        self._noted(write)


def _acquire(file: IO[str], wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _held(file) from None
            time.sleep(min(RETRY_SECONDS, left))
        else:
            return


def _describe(file: IO[str], command: str) -> None:
    holder = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(file.fileno(), 0)
    os.write(file.fileno(), json.dumps(holder).encode())  # unbuffered: nothing is left to fail at the end


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
