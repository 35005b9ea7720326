"""logs on a real engine: chosen, cut, coloured, and followed over restarts and recreates."""

from __future__ import annotations

import json
import signal
import subprocess
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.schema_check import validate
from tests.engine.pty_session import Screen
from tests.engine.stack import SECONDS, Stack
from tests.engine.test_commands import environ, mcpctl, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[[str], Stack]

COUNT = """\
services:
  web:
    image: IMAGE
    init: true
    stop_grace_period: 0s
    command: [sh, -c, "n=0; while :; do n=$$((n+1)); echo $TAG$$n; usleep 20000; done"]
"""
ENDED = """\
services:
  a: {image: IMAGE, command: [sh, -c, "for i in 1 2 3; do echo a$$i; done"]}
  long: {image: IMAGE, command: [sh, -c, "echo out; echo err >&2"]}
"""


class Followed:
    """A `logs --follow -o json` whose lines are read as they come."""

    def __init__(self, program: subprocess.Popen[bytes]) -> None:
        self.program = program
        self._lines: Queue[dict[str, Any] | None] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.program.stdout is not None
        for text in self.program.stdout:
            self._lines.put(json.loads(text))
        self._lines.put(None)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Return the lines up to the one that is wanted."""
        found: list[dict[str, Any]] = []
        while not found or not wanted(found[-1]):
            line = self._lines.get(timeout=SECONDS)
            assert line is not None, f"it ended: {self.program.stderr and self.program.stderr.read()}"
            validate("log-line", line)
            found.append(line)
        return found

    def end(self) -> int:
        """Wait for its end and return the exit code."""
        assert self.program.wait(SECONDS) is not None
        self._reader.join(SECONDS)
        return self.program.returncode

    def close(self) -> None:
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        self._reader.join(SECONDS)
        for stream in (self.program.stdout, self.program.stderr):
            if stream:
                stream.close()


@pytest.fixture
def follow() -> Iterator[Callable[..., Followed]]:
    opened: list[Followed] = []

    def start(stack: Stack, *words: str) -> Followed:
        opened.append(Followed(started(stack, "logs", "-f", "-o", "json", *words)))
        return opened[-1]

    yield start
    for item in opened:
        item.close()


def counting(stack: Make, tag: str = "n") -> Stack:
    made = stack(COUNT.replace("$TAG", tag))
    made.up(wait=False)
    return made


def ends_with(number: int, tag: str = "n") -> Callable[[dict[str, Any]], bool]:
    return lambda line: line["text"] == f"{tag}{number}"


def test_following_survives_a_restart_without_a_lost_or_doubled_line(
    stack: Make, follow: Callable[..., Followed]
) -> None:
    made = counting(stack)
    program = follow(made)
    lines = program.until(ends_with(20))
    for _ in range(2):
        made.engine.api.restart(made.one("web").id, timeout=0)
        lines += program.until(ends_with(1)) + program.until(ends_with(10))
    made.engine.stop(made.one("web").id, 0)
    assert program.end() == 0
    whole = mcpctl(made, "logs", "-o", "json").stdout
    told = [(line["timestamp"], line["text"]) for line in lines]
    known = [(line["timestamp"], line["text"]) for line in json.loads(whole)["data"]["lines"]]
    assert told == known[: len(told)]


def test_following_picks_up_a_recreated_container_and_a_new_replica(
    stack: Make, follow: Callable[..., Followed]
) -> None:
    made = counting(stack)
    program = follow(made, "web", "-n", "0")
    program.until(lambda _line: True)
    made.write(COUNT.replace("$TAG", "m"))
    made.up(wait=False)
    found = program.until(ends_with(5, "m"))
    assert [line["text"] for line in found if line["text"].startswith("m")] == [
        f"m{at}" for at in range(1, 6)
    ]
    made.up(wait=False, scale={"web": 2})
    program.until(lambda line: line["container"].endswith("web-2") and line["text"] == "m1")
    program.program.send_signal(signal.SIGINT)
    assert program.end() == 130
    assert program.program.stderr is not None
    assert program.program.stderr.read() == b""


def test_following_what_has_ended_ends_and_what_never_was_does_too(
    stack: Make, follow: Callable[..., Followed]
) -> None:
    made = stack(ENDED)
    assert follow(made).end() == 0
    made.up()
    program = follow(made, "a")
    assert [line["text"] for line in program.until(ends_with(3, "a"))] == ["a1", "a2", "a3"]
    assert program.end() == 0


def text(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_lines_are_chosen_and_shown_as_compose_shows_them(stack: Make) -> None:
    made = stack(ENDED)
    made.up()
    theirs = made.compose("logs", "--no-color", "a").stdout.splitlines()
    assert text(mcpctl(made, "logs", "a")) == [line.removeprefix("\x1b[2K") for line in theirs]
    assert text(mcpctl(made, "logs", "--no-log-prefix", "-n", "2", "a")) == ["a2", "a3"]
    assert text(mcpctl(made, "logs", "--no-log-prefix", "--tail", "all", "a")) == ["a1", "a2", "a3"]
    assert text(mcpctl(made, "logs", "--until", "1h", "a")) == []
    assert sorted(text(mcpctl(made, "logs", "--since", "1h"))) == [
        *(f"a-1     | a{at}" for at in (1, 2, 3)),
        "long-1  | err",
        "long-1  | out",
    ]
    assert mcpctl(made, "logs", "-n", "some").returncode == 2
    assert mcpctl(made, "logs", "nothing").returncode == 10


@pytest.mark.parametrize(("words", "coloured"), [(("logs",), True), (("logs", "--no-color"), False)])
def test_services_have_colours_on_a_terminal(words: tuple[str, ...], coloured: bool, stack: Make) -> None:
    made = stack(ENDED)
    made.up()
    plain = {key: value for key, value in environ(made).items() if key != "NO_COLOR"}
    screen = Screen(["-p", made.name, *words], made.folder, {**plain, "TERM": "xterm-256color"})
    try:
        assert screen.leave() == 0
        assert ("\x1b[36ma-1" in screen.text, "\x1b[35mlong-1" in screen.text) == (coloured, coloured)
        assert "a3" in screen.text
    finally:
        screen.close()
