"""A real terminal: prompt, size, keys, exit codes, and the modes as they were."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.engine.pty_session import Screen
from tests.engine.stack import Stack, eventually
from tests.engine.test_commands import environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[[str], Stack]
    Open = Callable[..., Screen]

PROJECT = """\
services:
  web: {image: IMAGE, init: true, command: [sleep, "600"]}
"""


LOOP = "while :; do usleep 50000; done"
SHELLS = [("shell",), ("exec", "-it", "web", "sh"), ("run", "--rm", "web", "sh")]


@pytest.fixture
def up(stack: Make) -> Stack:
    made = stack(PROJECT)
    made.up(wait=False)
    return made


@pytest.fixture
def screen(up: Stack) -> Iterator[Open]:
    opened: list[Screen] = []

    def start(*words: str) -> Screen:
        opened.append(Screen(["-p", up.name, *words], up.folder, environ(up)))
        return opened[-1]

    yield start
    for item in opened:
        item.close()


@pytest.mark.parametrize("words", SHELLS)
def test_a_shell_has_a_terminal_of_the_right_size_and_its_own_ctrl_c(
    words: tuple[str, ...], screen: Open
) -> None:
    shell = screen(*words)
    shell.read_until("# ")
    shell.type("stty size\n")
    shell.read_until("24 80\r\n")
    shell.resize(40, 123)
    shell.type("while [ \"$(stty size)\" != '40 123' ]; do usleep 20000; done; echo re''sized\n")
    shell.read_until("resized\r\n")
    shell.type("sh -c \"echo be''gun; exec sleep 600\"\n")
    shell.read_until("begun\r\n")
    shell.type("\x03")
    shell.type("echo code=$?\n")
    shell.read_until("code=130\r\n")
    shell.type("exit 3\n")
    assert shell.leave() == 3
    assert shell.modes() == shell.before


def test_the_terminal_is_as_it_was_when_the_program_is_terminated(screen: Open, up: Stack) -> None:
    shell = screen("shell", "web")
    shell.read_until("# ")
    assert shell.modes() != shell.before
    shell.signal(signal.SIGTERM)
    assert shell.leave() == 143
    assert shell.modes() == shell.before
    assert "terminated" in shell.text
    del up


def test_the_terminal_is_as_it_was_when_the_container_is_killed(screen: Open, up: Stack) -> None:
    shell = screen("exec", "web", "sh")
    shell.read_until("# ")
    up.engine.remove_container(up.one("web").id, force=True)
    assert shell.leave() != 0
    assert shell.modes() == shell.before


def test_a_terminated_run_takes_its_container_away(screen: Open, up: Stack) -> None:
    shell = screen(
        "run", "--rm", "web", "sh", "-c", "trap 'exit 4' TERM; echo on; while :; do usleep 50000; done"
    )
    shell.read_until("on\r\n")
    shell.signal(signal.SIGTERM)
    assert shell.leave() == 4
    assert shell.modes() == shell.before
    eventually(lambda: len(up.containers()) == 1, "the one-off container goes")
