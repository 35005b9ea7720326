from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from mcpctl.errors import McpctlError
from mcpctl.host import commands


def test_lines_of_both_streams_are_reported_and_returned():
    seen: list[str] = []
    last = commands.run(["sh", "-c", "echo out; echo err >&2"], seconds=10, report=seen.append)
    assert seen == ["out", "err"]
    assert last == ("out", "err")


def test_a_failing_command_carries_its_last_lines():
    with pytest.raises(McpctlError, match="ended with status 3: no space left") as caught:
        commands.run(["sh", "-c", "echo working; echo no space left; exit 3"], seconds=10)
    assert caught.value.details["last_lines"] == ["working", "no space left"]


def test_only_the_last_lines_are_kept():
    last = commands.run(["seq", "1000"], seconds=10)
    assert last == tuple(str(n) for n in range(1001 - commands.KEPT_LINES, 1001))


def test_a_missing_program_is_named():
    with pytest.raises(McpctlError, match="no-such-program is not installed"):
        commands.run(["no-such-program"], seconds=1)


def test_a_command_that_lasts_too_long_is_ended_with_its_children(tmp_path: Path):
    pid_file = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {pid_file}; wait"
    with pytest.raises(McpctlError, match="did not finish within 1 s"):
        commands.run(["sh", "-c", script], seconds=0.6)
    _wait_until_gone(int(pid_file.read_text()))


def test_an_interrupt_ends_the_command(tmp_path: Path):
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt) as caught:
        commands.run(["sh", "-c", "echo $$; exec sleep 1000"], seconds=100, report=interrupt)
    _wait_until_gone(int(str(caught.value)))


def test_the_environment_is_added_to_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OURS", "kept")
    said = commands.run(["sh", "-c", "echo $OURS $ADDED"], seconds=5, environment={"ADDED": "too"})
    assert said == ("kept too",)


def test_a_service_that_the_command_leaves_running_is_not_waited_for(tmp_path: Path):
    pid_file = tmp_path / "pid"
    last = commands.run(["sh", "-c", f"echo started; sleep 1000 & echo $! > {pid_file}"], seconds=30)
    service = int(pid_file.read_text())
    assert last == ("started",)
    assert _runs(service)
    os.kill(service, signal.SIGKILL)


def test_children_that_ignore_a_polite_end_are_ended_too(tmp_path: Path):
    pid_file = tmp_path / "pid"
    script = f"(trap '' TERM; while :; do sleep 0.05; done) & echo $! > {pid_file}; wait"
    with pytest.raises(McpctlError, match="did not finish"):
        commands.run(["sh", "-c", script], seconds=0.6)
    _wait_until_gone(int(pid_file.read_text()))


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False
