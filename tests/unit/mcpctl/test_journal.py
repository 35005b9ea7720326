"""The journal tells what an operation that died was at; it never stands in the way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcpctl import journal
from mcpctl.journal import Journal
from mcpctl.stack.steps import Step
from mcpctl.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

A, B, C = (Step(name, "create container", f"p-{name}-1", ("a test",)) for name in "abc")


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.json"


@pytest.fixture
def written(path: Path, warned: list[str]) -> Journal:
    return Journal(path, {"command": "up", "arguments": ["up"], "user": "root"}, warned.append)


def test_what_was_done_and_what_was_under_way_is_told(path: Path, written: Journal) -> None:
    written.planned((A, B, C))
    written.started(A)
    written.finished(A)
    written.started(B)
    found = journal.read(path)
    assert found
    assert found.steps == (
        ("create container p-a-1", "done"),
        ("create container p-b-1", "under way"),
        ("create container p-c-1", "left"),
    )
    assert found.under_way
    assert f"`mcpctl up` (root, process {os.getpid()} on " in str(found)
    assert str(found).endswith(" after 1 of 3 steps, while it was to create container p-b-1")


def test_many_steps_under_way_are_counted(path: Path, written: Journal) -> None:
    plan = tuple(Step(str(number), "stop container", f"c{number}", ()) for number in range(5))
    written.planned(plan)
    for step in plan:
        written.started(step)
    found = journal.read(path)
    assert str(found).endswith("to stop container c0, stop container c1, stop container c2 and 2 more")


def test_a_later_plan_of_the_same_operation_follows_the_earlier(path: Path, written: Journal) -> None:
    written.planned((A,))
    written.started(A)
    written.finished(A)
    written.planned((B,))
    written.started(B)
    written.failed(B)
    found = journal.read(path)
    assert found
    assert [state for _, state in found.steps] == ["done", "failed"]
    assert not found.under_way


def test_no_steps_make_no_journal(path: Path, written: Journal) -> None:
    written.planned(())
    assert not path.exists()


def test_an_operation_that_ends_in_order_takes_its_journal_away(path: Path, written: Journal) -> None:
    written.planned((A,))
    written.end(done=False)
    assert list(path.parent.iterdir()) == []


def test_one_that_failed_before_it_began_leaves_the_earlier_one(path: Path, written: Journal) -> None:
    written.planned((A,))
    later = Journal(path, {"command": "up", "user": "root"}, print)
    later.end(done=False)
    assert journal.read(path)
    later.end(done=True)
    assert journal.read(path) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "5", '"up"', '{"command": "up"}', '{"steps": 5}', "\x00\xff", '{"steps": []}\n{'],
)
def test_a_damaged_journal_counts_as_none(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    assert journal.read(path) is None


@pytest.mark.parametrize(
    "tail", ["{", '{"step": 1, "st', "null", '{"step": 99, "state": "done"}', "\x00\x00"]
)
def test_a_last_line_that_was_cut_costs_that_line_alone(path: Path, written: Journal, tail: str) -> None:
    written.planned((A, B))
    written.started(A)
    with path.open("a") as file:
        file.write(tail)
    found = journal.read(path)
    assert found
    assert [state for _, state in found.steps] == ["under way", "left"]


def test_a_journal_that_cannot_be_written_is_a_warning_and_nothing_else(
    path: Path, written: Journal, warned: list[str]
) -> None:
    path.mkdir()
    (path / "in the way").touch()
    written.planned((A,))
    written.started(A)
    written.finished(A)
    written.end(done=True)
    assert len(warned) == 2  # it could be neither written nor taken away
    assert str(path) in warned[0]
    assert not path.with_suffix(".partial").exists()


def test_a_link_in_the_way_is_not_followed(path: Path, written: Journal) -> None:
    precious = path.parent / "precious"
    precious.write_text("kept")
    path.with_suffix(".partial").symlink_to(precious)
    path.symlink_to(precious)
    written.planned((A,))
    written.end(done=True)
    assert precious.read_text() == "kept"


def test_every_state_of_the_file_can_be_read(path: Path, written: Journal) -> None:
    for event in (
        lambda: written.planned((A, B)),
        lambda: written.started(A),
        lambda: written.started(B),
        lambda: written.finished(A),
    ):
        event()
        first = path.read_text().splitlines()[0]
        assert json.loads(first)["command"] == "up"
        assert journal.read(path)


# through the state folder and the command line

NOWHERE = "tcp://127.0.0.1:1"


def leave(folder: Path, *, command: str = "up") -> None:
    """Leave what a killed mcpctl would leave."""
    state = State(folder)
    with state.locked(command):
        one = state.journal(command, ())
        one.planned((A, B))
        one.started(A)
        one.finished(A)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text("name: demo\nservices:\n  web: {image: demo-web}\n")
    return tmp_path


def test_while_the_lock_is_held_nothing_was_interrupted(project: Path) -> None:
    leave(project)
    state = State(project)
    assert state.interrupted()
    with state.locked("down"):
        assert state.interrupted() is None
        assert state.left_behind()
    assert state.interrupted()


@pytest.mark.parametrize("words", [["plan"], ["up", "--dry-run"], ["status"]])
def test_who_looks_is_told_without_a_lock_and_without_writing(
    run: Callable[..., Any], project: Path, words: list[str]
) -> None:
    leave(project)
    before = {item: item.stat().st_mtime_ns for item in (project / ".mcpctl").iterdir()}
    left = run("-C", project, "-H", NOWHERE, *words, "-o", "json")
    told = [
        text for text in left.json["warnings"] if "the last operation was interrupted: `mcpctl up`" in text
    ]
    assert len(told) == 1
    assert "after 1 of 2 steps" in told[0]
    assert {item: item.stat().st_mtime_ns for item in (project / ".mcpctl").iterdir()} == before


def test_who_changes_something_is_told_and_a_failure_to_begin_forgets_nothing(
    run: Callable[..., Any], project: Path
) -> None:
    leave(project)
    for _ in range(2):
        left = run("-C", project, "-H", NOWHERE, "down")
        assert left.exit_code == 5
        assert "warning: the last operation was interrupted: `mcpctl up`" in left.stderr


def test_doctor_names_it_as_a_finding_that_up_mends(run: Callable[..., Any], project: Path) -> None:
    leave(project, command="down")
    left = run("-C", project, "-H", NOWHERE, "doctor", "-o", "json")
    (found,) = (check for check in left.json["data"]["checks"] if check["name"] == "last operation")
    assert (found["ok"], found["level"], found["hint"]) == (False, "warning", "mcpctl up")
    assert "`mcpctl down`" in found["message"]


def test_a_damaged_journal_stops_nobody(run: Callable[..., Any], project: Path) -> None:
    leave(project)
    (project / ".mcpctl/journal.json").write_text("{")
    left = run("-C", project, "-H", NOWHERE, "status")
    assert left.exit_code == 5
    assert "interrupted" not in left.stderr


def test_one_that_has_ended_leaves_the_next_ones_journal_alone(path: Path, written: Journal) -> None:
    written.planned((A,))
    written.end(done=True)
    path.write_text("another's")
    written.end(done=True)
    assert path.read_text() == "another's"
