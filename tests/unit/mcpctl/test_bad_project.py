"""What is wrong with a project is said with its place, exit code 4, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.schema_check import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "tcp://127.0.0.1:1"
GOOD = "name: demo\nservices:\n  web: {image: demo-web}\n"
HOLDER = """
import sys
from pathlib import Path
from mcpctl.state import State
with State(Path(sys.argv[1])).locked("up"):
    print("held", flush=True)
    sys.stdin.read()
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "compose.yaml"
    path.write_text(text)
    return path


def test_a_folder_without_a_project_names_what_was_looked_for(run: Run, tmp_path: Path) -> None:
    left = run("-C", tmp_path, "status")
    assert left.exit_code == 4
    assert f"no project file in {tmp_path}" in left.stderr
    assert "compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml" in left.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_named_file_that_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    left = run("-f", tmp_path / "other.yaml", "status", "-o", "json")
    check("status", left.json)
    assert left.exit_code == 4
    assert left.json["errors"][0]["details"]["file"] == str(tmp_path / "other.yaml")


@pytest.mark.parametrize(
    ("text", "place", "about"),
    [
        ("name: demo\nservices:\n  web: [image\n", "4:1", "]"),
        ("name: demo\nservices:\n  web:\n    imag: demo\n", "4:5", "imag"),
        ("name: demo\nservices:\n  web:\n    image: ${TAG:?set TAG in .env}\n", "4:5", "set TAG in .env"),
        ("name: demo\nservices:\n  web: {image: a, image: b}\n", "3:19", "image"),
    ],
    ids=["broken YAML", "unknown key", "unset required variable", "key given twice"],
)
def test_a_fault_in_a_project_file_has_file_line_and_column(
    text: str, place: str, about: str, run: Run, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    left = run("-C", tmp_path, "status", "-o", "json")
    check("status", left.json)
    assert (left.exit_code, left.json["errors"][0]["code"]) == (4, "config_invalid")
    message = left.json["errors"][0]["message"]
    assert message.startswith(f"{path}:{place}: ")
    assert about in message.removeprefix(f"{path}:{place}: ")
    assert path.read_text() == text


def test_an_unknown_key_comes_with_the_one_that_was_meant(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "services:\n  web:\n    imag: demo\n")
    assert "image" in run("-C", tmp_path, "status", "-o", "json").json["errors"][0]["hint"]


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another mcpctl that holds the project's lock until its stdin is closed."""
    write(tmp_path, GOOD)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.communicate(timeout=20)


def test_a_second_mcpctl_is_told_who_holds_the_lock(
    run: Run, tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    left = run("-C", tmp_path, "-H", NOWHERE, "up", "-o", "json")
    check("up", left.json)
    assert left.exit_code == 8
    error = left.json["errors"][0]
    assert error["details"]["holder"]["pid"] == holder.pid
    assert f"process {holder.pid}" in error["message"]
    assert error["hint"] == "wait for it, or give --lock-wait SECONDS"


def test_looking_needs_no_lock(run: Run, tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.poll() is None
    assert run("-C", tmp_path, "-H", NOWHERE, "status").exit_code == 5
    assert run("-C", tmp_path, "-H", NOWHERE, "up", "--dry-run").exit_code == 5


def test_a_killed_mcpctl_leaves_no_lock_behind(
    run: Run, tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait(20)
    assert run("-C", tmp_path, "-H", NOWHERE, "up").exit_code == 5
