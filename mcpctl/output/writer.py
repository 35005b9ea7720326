"""Write answers to stdout and everything else to stderr, in the form that the invocation asked for."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from mcpctl.output.outcome import Format, Outcome, envelope
from mcpctl.output.plain import WIDTH_OF_A_PIPE, PlainConsole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from mcpctl.errors import McpctlError


@dataclass(slots=True)
class Writer:
    """One invocation's voice. ``format`` is settled by the command line before anything is written."""

    format: Format = Format.HUMAN
    quiet: bool = False
    verbose: bool = False
    color: bool = True
    warnings: list[str] = field(default_factory=list[str])

    def console(self, *, stderr: bool = False) -> Console:
        """Return what views draw on: Rich on a terminal, plain text where another program reads."""
        stream = sys.stderr if stderr else sys.stdout
        if stream.isatty() or {"COLUMNS", "FORCE_COLOR"} & os.environ.keys():
            return self.rich_console(stderr=stderr)
        plain = PlainConsole(stream, lambda: self.rich_console(stderr=stderr))
        return cast("Console", plain)  # it takes the calls that views make

    def rich_console(self, *, stderr: bool = False) -> Console:
        """Return a Rich console for one of the streams; colour only where that stream is a terminal."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        unlimited = "COLUMNS" not in os.environ and not stream.isatty()
        return Console(
            stderr=stderr,
            width=WIDTH_OF_A_PIPE if unlimited else None,
            no_color=True if not self.color else None,
            highlight=False,
            soft_wrap=False,
            markup=False,
            emoji=False,
        )

    @property
    def interactive(self) -> bool:
        """Tell whether a question can be asked and answered."""
        return self.format is Format.HUMAN and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def live(self) -> bool:
        """Tell whether progress may be redrawn in place."""
        return self.format is Format.HUMAN and not self.quiet and sys.stderr.isatty()

    def note(self, text: str, *, style: str = "") -> None:
        """Say something beside the answer, on stderr; silent with --quiet and in JSON mode."""
        if self.format is Format.JSON or self.quiet:
            return
        if style and self.color and sys.stderr.isatty():
            self.console(stderr=True).print(text, style=style)
        else:
            _tell(text)

    def warn(self, text: str) -> None:
        """Warn once: on stderr for people, in the envelope for programs."""
        if text in self.warnings:
            return
        self.warnings.append(text)
        if self.format is Format.HUMAN:
            _tell(f"warning: {text}")

    def answer(self, command: str, outcome: Outcome) -> None:
        """Write a command's answer; a view draws its own failures."""
        if self.format is Format.JSON:
            self.json(envelope(command, outcome))
        elif outcome.show:
            outcome.show(self.console())
        else:
            for error in outcome.errors:
                self.error(error)

    def json(self, document: Mapping[str, object]) -> None:
        """Write one JSON document and a line end; never through Rich, which wraps and interprets it."""
        json.dump(document, sys.stdout, ensure_ascii=False, default=str)
        sys.stdout.write("\n")
        sys.stdout.flush()

    def error(self, error: McpctlError) -> None:
        """Say what failed and what to type next, on stderr."""
        _tell(f"error: {error.message}")
        for line in _detail_lines(error):
            _tell(f"  {line}")
        if error.hint:
            _tell(f"  next: {error.hint}")


def _tell(text: str) -> None:
    """Write a line to stderr; where nobody reads it any more, the work goes on in silence."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _detail_lines(error: McpctlError) -> list[str]:
    """Return the details that help a person: a culprit's health output and log, a build's last lines."""
    lines: list[str] = []
    containers = error.details.get("containers")
    if isinstance(containers, list):
        for item in containers:  # pyright: ignore[reportUnknownVariableType] - plain JSON values
            lines += _container_lines(item)  # pyright: ignore[reportUnknownArgumentType] - plain JSON values
    output = error.details.get("output")
    if isinstance(output, str):
        lines += output.splitlines()
    return lines


def _container_lines(item: Mapping[str, object]) -> list[str]:
    lines = [f"{item['service']}: {', '.join(_container_words(item))}"]
    if item["health_output"]:
        lines += ["  last healthcheck:", *(f"    {line}" for line in str(item["health_output"]).splitlines())]
    log = item["log"]
    if isinstance(log, list) and log:
        lines += ["  last log lines:", *(f"    {line}" for line in log)]  # pyright: ignore[reportUnknownVariableType] - plain JSON values
    return lines


def _container_words(item: Mapping[str, object]) -> list[str]:
    """Return what is worth saying: no exit code of what has not ended, no restarts where there were none."""
    words = [str(item["status"])]
    if item["exit_code"] and f"with {item['exit_code']}" not in words[0]:
        words.append(f"exit code {item['exit_code']}")
    words += [str(word) for word in (item.get("exit_meaning"), item.get("error")) if word]
    if item["restarts"] and "restart" not in words[0]:
        words.append(f"{item['restarts']} restart" + ("s" if item["restarts"] != 1 else ""))
    if item["oom_killed"]:
        words.append("out of memory")
    if port := item.get("port"):
        words.append(
            f"port {port} is in use" + (f" by {holder}" if (holder := item.get("port_holder")) else "")
        )
    return words
