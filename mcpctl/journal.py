"""The journal: which operation is under way on a project, and how far it is.

It explains; it never decides. What is done and what is left is always asked of the engine, so a journal that
is lost or damaged costs a sentence and nothing else. A file that is there while nobody holds the project's
lock belongs to an operation whose process died.

The first line is a JSON document: the operation and its steps. Each further line is what became of one step,
``{"step": 3, "state": "done"}``.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

DONE, UNDER_WAY, LEFT, FAILED = "done", "under way", "left", "failed"
_NAMED = 3
"""So many steps that were under way are named; the rest are counted."""


class StepLike(Protocol):
    """What the journal needs to know of a step."""

    @property
    def id(self) -> str:
        """Which step of its plan it is."""
        ...

    @property
    def action(self) -> str:
        """What is done."""
        ...

    @property
    def target(self) -> str:
        """What it is done to."""
        ...


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as its journal tells it. ``steps`` are pairs of words and state; times are ISO 8601."""

    command: str
    pid: int
    host: str
    user: str
    started_at: str
    steps: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return the clause that names the operation and how far it came."""
        done = sum(state == DONE for _, state in self.steps)
        begun = [words for words, state in self.steps if state == UNDER_WAY]
        rest = f" and {len(begun) - _NAMED} more" if len(begun) > _NAMED else ""
        during = f", while it was to {', '.join(begun[:_NAMED])}{rest}" if begun else ""
        who = f"{self.user}, process {self.pid} on {self.host}, begun {self.started_at}"
        return f"`mcpctl {self.command}` ({who}) after {done} of {len(self.steps)} steps{during}"

    @property
    def under_way(self) -> bool:
        """Tell whether the engine may still be busy with something that was asked of it."""
        return any(state == UNDER_WAY for _, state in self.steps)


def read(path: Path) -> Operation | None:
    """Return what a journal tells, or None where there is none or it cannot be read."""
    try:
        first, *events = path.read_text(encoding="utf-8").splitlines()
        raw = cast("dict[str, Any]", json.loads(first))
        steps = [[str(words), LEFT] for words in raw["steps"]]
        for event in events:
            _enter(steps, event)
        return Operation(
            command=str(raw["command"]),
            pid=int(raw["pid"]),
            host=str(raw["host"]),
            user=str(raw["user"]),
            started_at=str(raw["started_at"]),
            steps=tuple((words, state) for words, state in steps),
        )
    except (OSError, ValueError, KeyError, TypeError):  # it explains only: the work is the same
        return None


def _enter(steps: list[list[str]], event: str) -> None:
    """Note what became of a step; the last line may have been cut when the machine stopped."""
    with suppress(ValueError, KeyError, TypeError, IndexError):
        raw = cast("dict[str, Any]", json.loads(event))
        steps[int(raw["step"])][1] = str(raw["state"])


class Journal:
    """Keeps the journal of one operation; called from several threads.

    A plan is forced to the disk before its first step. What becomes of a step is appended without that: it
    must outlive the process, which the kernel's cache does, and a machine that loses its power has lost the
    processes of its containers too.
    """

    def __init__(self, path: Path, header: dict[str, object], warn: Callable[[str], None]) -> None:
        self._path = path
        self._header = {**header, "pid": os.getpid(), "host": socket.gethostname(), "started_at": _now()}
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []
        self._states: dict[int, str] = {}
        self._warn = warn
        self._lock = Lock()
        self._file: int | None = None
        self._begun = False
        self._over = False

    def planned(self, plan: Iterable[StepLike]) -> None:
        """Write down the steps that are about to run, after those of an earlier plan; nothing for none."""
        steps = list(plan)
        if not steps:
            return
        with self._lock:
            for step in steps:
                self._numbers[step.id] = len(self._words)
                self._words.append(f"{step.action} {step.target}")
            self._attempt(self._begin)

    def started(self, step: StepLike) -> None:
        """Note that a step begins."""
        self._note(step, UNDER_WAY)

    def finished(self, step: StepLike) -> None:
        """Note that a step is done."""
        self._note(step, DONE)

    def failed(self, step: StepLike) -> None:
        """Note that a step failed."""
        self._note(step, FAILED)

    def end(self, *, done: bool) -> None:
        """Take the journal away: the operation ended in order.

        One that failed before it had a plan leaves the journal of an earlier one as it was. Nothing is taken
        away twice: once the lock is given back, the file may be another operation's.
        """
        with self._lock:
            self._close()
            if (self._begun or done) and not self._over:
                self._attempt(lambda: self._path.unlink(missing_ok=True))
                self._over = True

    def _note(self, step: StepLike, state: str) -> None:
        with self._lock:
            if self._file is not None and step.id in self._numbers:
                self._states[self._numbers[step.id]] = state
                self._attempt(lambda: self._append(self._numbers[step.id], state))

    def _begin(self) -> None:
        self._begun, self._over = True, False
        self._close()
        partial = self._path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(partial, flags, 0o666)
        document = json.dumps({**self._header, "steps": self._words}) + "\n"
        _write_all(self._file, document.encode())
        for number, state in self._states.items():
            self._append(number, state)
        os.fsync(self._file)
        partial.replace(self._path)

    def _append(self, number: int, state: str) -> None:
        if self._file is not None:
            _write_all(self._file, (json.dumps({"step": number, "state": state}) + "\n").encode())

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _attempt(self, write: Callable[[], None]) -> None:
        """Write; where that fails, the work goes on without its journal."""
        try:
            write()
        except OSError as error:
            self._warn(f"cannot write to {self._path}: {error.strerror}")
            self._close()
            with suppress(OSError):  # it was told; half a journal is none
                self._path.with_suffix(".partial").unlink(missing_ok=True)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
