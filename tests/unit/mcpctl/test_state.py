"""The state folder: one at a time, a trail of what was done, notes that may be lost."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from mcpctl.errors import ExitCode, Locked, McpctlError
from mcpctl.state import KEPT_BUILDS, AuditEntry, State

HOLD = """
import sys
from pathlib import Path
from mcpctl.state import State
with State(Path(sys.argv[1])).locked("up"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_lock(state: State, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with (
            pytest.raises(Locked, match=rf"`mcpctl up` \(process {process.pid} on ") as caught,
            state.locked("down"),
        ):
            pass
        process.communicate("\n", timeout=60)
    assert caught.value.exit_code == ExitCode.LOCKED
    details: Any = caught.value.details["holder"]
    assert details["pid"] == process.pid
    with state.locked("down"):
        pass


def test_a_killed_holder_leaves_no_lock(state: State, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait(60)
    with state.locked("down"):
        pass


def test_waiting_for_the_lock_gets_it_when_it_comes_free(state: State, tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
        with state.locked("down", wait=60):
            assert "down" in (state.folder / "lock").read_text()
        process.communicate(timeout=60)


def test_a_bounded_wait_ends(state: State) -> None:
    with state.locked("up"), pytest.raises(Locked), State(state.folder.parent).locked("down", wait=0.3):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_holder_that_cannot_be_read_is_another_mcpctl(state: State, text: str) -> None:
    with state.locked("up"):
        (state.folder / "lock").write_text(text)
        with pytest.raises(Locked, match="another mcpctl"), state.locked("down"):
            pass


def test_an_error_inside_frees_the_lock(state: State) -> None:
    with pytest.raises(ValueError, match="inside"), state.locked("up"):
        raise ValueError("inside")
    with state.locked("down"):
        pass


def test_a_folder_that_cannot_be_written_names_itself(tmp_path: Path) -> None:
    (tmp_path / ".mcpctl").write_text("a file in the way")
    with pytest.raises(McpctlError, match="cannot write to") as caught, State(tmp_path).locked("up"):
        pass
    assert caught.value.hint
    assert str(tmp_path / ".mcpctl") in caught.value.hint


def test_a_lock_file_that_cannot_be_opened_is_a_clear_error(state: State) -> None:
    (state.folder / "lock").mkdir(parents=True)
    with pytest.raises(McpctlError, match="cannot write to"), state.locked("up"):
        pass


@pytest.mark.parametrize("name", ["lock", "audit.jsonl"])
def test_a_link_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    warned: list[str] = []
    state = State(tmp_path, warned.append)
    precious = tmp_path / "precious"
    precious.write_text("kept")
    state.folder.mkdir()
    (state.folder / name).symlink_to(precious)
    if name == "lock":
        with pytest.raises(McpctlError, match="lock: it is a symbolic link"), state.locked("up"):
            pass
    else:
        state.audit(AuditEntry("up", (), 0, 0))
        assert "it is a symbolic link" in warned[0]
    assert precious.read_text() == "kept"


def test_a_pipe_in_the_place_of_the_lock_is_refused_and_not_waited_for(state: State) -> None:
    state.folder.mkdir()
    os.mkfifo(state.folder / "lock")
    with pytest.raises(McpctlError, match="it is no ordinary file"), state.locked("up"):
        pass


def test_a_file_system_that_cannot_lock_is_a_clear_error(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: object, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("mcpctl.state.fcntl.flock", refuse)
    with pytest.raises(McpctlError, match=r"cannot lock .*: No locks available"), state.locked("up"):
        pass


def test_a_holder_on_another_machine_is_named_with_it(state: State) -> None:
    holder = {"host": "far", "pid": 1, "command": "up", "since": "2026-01-01T00:00:00+00:00"}
    with state.locked("up"):
        (state.folder / "lock").write_text(json.dumps(holder))
        with pytest.raises(Locked, match="process 1 on far, since 2026"), state.locked("down"):
            pass


def test_who_only_asks_for_the_lock_keeps_nobody_out(state: State) -> None:
    with state.locked("up"):
        pass
    with (state.folder / "lock").open() as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        Timer(0.02, lambda: fcntl.flock(reader, fcntl.LOCK_UN)).start()
        with state.locked("down"):
            pass


def test_a_trail_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    warned: list[str] = []
    state = State(tmp_path, warned.append)
    (state.folder / "audit.jsonl").mkdir(parents=True)
    (state.folder / "builds.partial").mkdir()
    state.audit(AuditEntry("up", (), 0, 0))
    state.remember_build("a", "b")
    assert len(warned) == 2
    assert all("cannot write to" in text for text in warned)


def test_the_trail_has_one_line_for_each_command(state: State) -> None:
    state.audit(AuditEntry("up", ("up", "--build"), 0, 1.23456))
    state.audit(AuditEntry("down", ("down",), 7, 0.5))
    first, second = (json.loads(line) for line in (state.folder / "audit.jsonl").read_text().splitlines())
    assert (first["command"], first["arguments"], first["exit_code"], first["seconds"]) == (
        "up",
        ["up", "--build"],
        0,
        1.235,
    )
    assert second["exit_code"] == 7
    assert {"at", "user", "host"} <= set(first)


def test_a_user_without_a_name_is_a_number(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("mcpctl.state.getpass.getuser", unknown)
    state.audit(AuditEntry("up", (), 0, 0))
    assert json.loads((state.folder / "audit.jsonl").read_text())["user"] == str(os.getuid())


def test_notes_on_builds_are_kept_newest_last_and_bounded(state: State) -> None:
    assert state.built_images() == {}
    for number in range(KEPT_BUILDS + 5):
        state.remember_build(f"id{number}", f"inputs{number}")
    state.remember_build("id10", "again")
    notes = state.built_images()
    assert len(notes) == KEPT_BUILDS
    assert "id4" not in notes
    assert list(notes)[-1] == "id10"
    assert notes["id10"] == "again"


@pytest.mark.parametrize("text", ["", "{", "[]", "5"])
def test_damaged_notes_count_as_none(state: State, text: str) -> None:
    state.remember_build("a", "b")
    (state.folder / "builds.json").write_text(text)
    assert state.built_images() == {}
    state.remember_build("a", "b")
    assert state.built_images() == {"a": "b"}
