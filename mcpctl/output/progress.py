"""Progress on stderr: a line per step, and in a terminal a live line per service that is not ready yet."""

from __future__ import annotations

import re
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from rich.live import Live

    from mcpctl.output.writer import Writer


SECONDS_BETWEEN_LINES = 5.0
"""Without a terminal, a builder's lines are thinned to one in this time: a sign of life, not a flood."""


_BUILD_STEP = re.compile(r"Step \d+/\d+ : |\[[^\]]*\b\d+/\d+\] ")
"""How both builders begin what they say of a step."""


_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x1f\x7f]")
"""What programs colour and move the cursor with; in lines that are redrawn it would do harm."""


class StepLike(Protocol):
    """What this room needs to know of a step."""

    @property
    def action(self) -> str:
        """What is done."""
        ...

    @property
    def target(self) -> str:
        """What it is done to."""
        ...


class Notes(Protocol):
    """Where the course of the steps is written down."""

    def planned(self, plan: Iterable[Any]) -> None:
        """These steps are about to run."""
        ...

    def started(self, step: Any) -> None:
        """A step begins."""
        ...

    def finished(self, step: Any) -> None:
        """A step is done."""
        ...

    def failed(self, step: Any) -> None:
        """A step failed."""
        ...


class AssessmentLike(Protocol):
    """What this room needs to know of a look at a container."""

    @property
    def verdict(self) -> str:
        """``ready``, ``waiting`` or ``failed``."""
        ...

    @property
    def status(self) -> str:
        """The state in a word."""
        ...

    @property
    def detail(self) -> str:
        """What the healthcheck said."""
        ...


class Progress:
    """Reports steps and waiting services; safe to call from several threads. Use as a context manager."""

    def __init__(self, writer: Writer, notes: Notes | None = None) -> None:
        self._writer = writer
        self._notes = notes
        self._lock = Lock()
        self._began = time.monotonic()
        self._waiting: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._live: Live | None = None
        self._last_line = 0.0
        self._build_step = ""
        self._said = ""

    def __enter__(self) -> Progress:
        """Open the live lines where stderr is a terminal."""
        if self._writer.live:
            from rich.live import Live

            self._live = Live(console=self._writer.console(stderr=True), transient=True, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live lines away."""
        self.close()

    def close(self) -> None:
        """Take the live lines away and give the cursor back."""
        if self._live:
            self._live.stop()

    def planned(self, plan: Iterable[StepLike]) -> None:
        """These steps are about to run."""
        if self._notes:
            self._notes.planned(plan)

    def started(self, step: StepLike) -> None:
        """A step begins."""
        if self._notes:
            self._notes.started(step)
        if step.action.startswith("await"):
            return
        with self._lock:
            self._waiting[f"{step.action} {step.target}"] = "..."
            self._draw()

    def finished(self, step: StepLike) -> None:
        """A step is done."""
        if self._notes:
            self._notes.finished(step)
        self._end(step, "done", "green")

    def failed(self, step: StepLike, error: BaseException) -> None:
        """A step failed."""
        del error  # the error itself is told once, at the end
        if self._notes:
            self._notes.failed(step)
        self._end(step, "failed", "red")

    def _end(self, step: StepLike, word: str, style: str) -> None:
        name = f"{step.action} {step.target}"
        with self._lock:
            self._waiting.pop(name, None)
            self._build_step = self._said = ""
            if not step.action.startswith("await"):
                self._say(name, word, style)
            self._draw()

    def assessed(self, service: str, assessment: AssessmentLike) -> None:
        """A service was looked at while it comes up."""
        with self._lock:
            if assessment.verdict == "waiting":
                self._waiting[service] = f"{assessment.status}  {_first_line(assessment.detail)}"
            else:
                self._waiting.pop(service, None)
                self._tell(service, assessment)
            self._draw()

    def _tell(self, service: str, assessment: AssessmentLike) -> None:
        if self._told.get(service) != assessment.status:
            self._told[service] = assessment.status
            self._say(service, assessment.status, "green" if assessment.verdict == "ready" else "red")

    def line(self, text: str) -> None:
        """Show a line of a builder or a package manager: all with --verbose, else steps and the newest."""
        with self._lock:
            now, begins = time.monotonic(), _BUILD_STEP.match(text) is not None
            if self._writer.verbose:
                self._writer.note(f"  {text}")
            elif self._live:
                self._build_step, self._said = (text, "") if begins else (self._build_step, text)
                self._draw()
            elif begins or now - self._last_line >= SECONDS_BETWEEN_LINES:
                self._last_line = now
                self._writer.note(f"  {text}")

    def _say(self, name: str, word: str, style: str) -> None:
        text = f"{name}: {word} ({time.monotonic() - self._began:.1f} s)"
        if self._live:
            self._live.console.print(text, style=style if self._writer.color else "")
        else:
            self._writer.note(text)

    def _draw(self) -> None:
        if self._live is None:
            return
        from rich.text import Text

        width = self._live.console.width
        lines = [f"  {name}: {state}" for name, state in self._waiting.items()]
        lines += [f"    {self._build_step}"] * bool(self._build_step)
        lines += [f"      {self._said}"] * bool(self._said)
        self._live.update(Text("\n".join(_CONTROL.sub("", line)[: width - 1] for line in lines)))


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
