"""Ctrl-C and SIGTERM: once ends in order, twice at once, whatever the process is at."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcpctl.signals import Signals, Terminated

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BOUND = 30

HANGING = """
import os, sys, termios, threading
from mcpctl import main
from mcpctl.cli import lifecycle
from mcpctl.stack.executor import execute
from mcpctl.stack.steps import Step

def hang(runtime, _request):
    if "raw" in os.environ.get("HOW", ""):
        settings = termios.tcgetattr(0)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, settings)
    progress = runtime.progress()
    step = Step("a", "start container", "p-a-1", ("a test",))

    def perform(_step):
        sys.stderr.write("under way\\n")
        sys.stderr.flush()
        threading.Event().wait()  # an engine that never answers

    execute((step,), perform, progress, lambda: os.write(2, b"heard\\n"))

lifecycle._bring_up = hang
from mcpctl.__main__ import run
run()
"""


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """Let what is started hear Ctrl-C, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text("name: demo\nservices:\n  a: {image: demo-a}\n")
    return tmp_path


def start(
    project: Path, *words: str, stdin: int = subprocess.DEVNULL, how: str = ""
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HANGING, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOW": how},
        cwd=project,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stderr
    while (read := process.stderr.readline()) != f"{line}\n":
        assert read, f"it ended without a line {line!r}"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_twice_ends_at_once_although_a_thread_hangs(project: Path, number: signal.Signals, code: int) -> None:
    with start(project, "up", "-o", "json") as process:
        wait_for(process, "under way")
        process.send_signal(number)
        wait_for(process, "heard")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=BOUND)
    assert (process.returncode, stderr) == (code, "")
    document = json.loads(stdout)
    assert document["exit_code"] == code
    assert document["errors"][0]["message"] == "ended at once: what was under way was not awaited"
    (line,) = (project / ".mcpctl/audit.jsonl").read_text().splitlines()
    assert json.loads(line)["exit_code"] == code
    assert "under way" in (project / ".mcpctl/journal.json").read_text()


def test_what_ended_at_once_is_told_by_the_next_command(project: Path) -> None:
    with start(project, "up") as process:
        wait_for(process, "under way")
        process.send_signal(signal.SIGINT)
        wait_for(process, "heard")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=BOUND)
    assert stderr.startswith("error: ended at once")
    assert "Traceback" not in stderr
    done = subprocess.run(
        [sys.executable, "-m", "mcpctl", "-H", "tcp://127.0.0.1:1", "status"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "after 0 of 1 steps, while it was to start container p-a-1" in done.stderr


def test_the_terminal_is_given_back_as_it_was(project: Path) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    with start(project, "up", stdin=theirs, how="raw") as process:
        wait_for(process, "under way")
        assert not termios.tcgetattr(theirs)[3] & termios.ECHO
        process.send_signal(signal.SIGINT)
        wait_for(process, "heard")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=BOUND)
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_once_ends_the_wait_for_the_lock(project: Path, number: signal.Signals, code: int) -> None:
    with start(project, "up") as holder:
        wait_for(holder, "under way")
        with start(project, "up", "--lock-wait", "600") as waiting:
            said = (project / ".mcpctl/lock").read_text()
            while not has_lock_file_open(waiting.pid):
                assert waiting.poll() is None
            waiting.send_signal(number)
            _, stderr = waiting.communicate(timeout=BOUND)
        assert waiting.returncode == code
        assert "Traceback" not in stderr
        assert (project / ".mcpctl/lock").read_text() == said
        holder.kill()


def has_lock_file_open(pid: int) -> bool:
    try:
        links = [item.readlink() for item in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # one was closed between the listing and the look
        return False
    return any(link.name == "lock" for link in links)


def test_a_question_is_left_with_ctrl_c(project: Path) -> None:
    ours, theirs = pty.openpty()
    script = (
        "from mcpctl.cli import lifecycle\n"
        "lifecycle._bring_up = lambda runtime, _request: runtime.confirm('Go?', yes=False)\n"
        "from mcpctl.__main__ import run\nrun()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, "up"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=project,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        shown = b""
        while b"Go? [y/N]" not in shown:
            shown += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(BOUND) == 130
    shown += os.read(ours, 1000)
    assert b"error: interrupted" in shown
    assert b"Traceback" not in shown
    os.close(ours)
    os.close(theirs)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals(lambda _code: None):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)


def test_the_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Terminated), Signals(lambda _code: None):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
