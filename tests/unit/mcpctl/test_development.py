"""`test` and `serve`: what they need, what they refuse, and how they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.development import serve, source, tests
from mcpctl.errors import EngineUnreachable, McpctlError
from tests.docs.schema_check import check

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[3]
PYTEST = """\
#!/bin/sh
shift 2
printf "%s\\n" "$*" >> "$PYTEST_ASKED"
exit "$PYTEST_CODE"
"""

ENGINE26 = " ".join(tests.PARTS["engine26"])
IN26 = "env MCPCTL_KILLS=25 {python} -m pytest"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Python with pytest, which notes what it was asked; exit code from PYTEST_CODE."""
    program = tmp_path / "python"
    program.write_text(PYTEST)
    program.chmod(0o755)
    monkeypatch.setattr(tests.sys, "executable", str(program))
    monkeypatch.setenv("PYTEST_ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("PYTEST_CODE", "0")
    return tmp_path / "asked"


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        (["docs"], "tests/docs"),
        (["aws"], "tests/unit/mcpctl/aws tests/unit/server"),
        (["unit", "tests/docs"], "tests/unit tests/oracle tests/docs"),
        (["tests/unit/mcpctl/test_errors.py::test_x"], "tests/unit/mcpctl/test_errors.py::test_x"),
        (["docs", "--", "-x"], "-x tests/docs"),
        (["engine26"], f"{IN26} {ENGINE26}"),
        (["docs", "engine26"], f"tests/docs\n{IN26} {ENGINE26}"),
    ],
)
def test_parts_and_paths_are_handed_to_pytest(
    words: list[str], handed_on: str, run: Run, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tests, "_ensure_engine", lambda *_: None)
    left = run("test", *words, "-o", "json") if "--" not in words else run("test", "-o", "json", *words)
    check("test", left.json)
    assert (left.exit_code, left.json["data"]) == (0, {"passed": True, "pytest_exit_code": 0})
    assert asked.read_text().strip() == handed_on.format(python=tests.sys.executable)


def test_the_whole_suite_is_three_goes_and_one_red_one_is_enough(
    run: Run, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tests, "_ensure_engine", lambda *_: None)
    monkeypatch.setenv("PYTEST_CODE", "1")
    assert run("test").exit_code == 1
    quick, with_engine, newer = asked.read_text().splitlines()
    assert "-n auto" in quick
    assert set(with_engine.split()) == {"tests/engine", "tests/e2e", "tests/benchmarks"}
    assert newer == f"{IN26} {ENGINE26}".format(python=tests.sys.executable)


def test_a_red_run_is_a_failure_with_pytests_own_code_in_the_data(
    run: Run, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_CODE", "3")
    left = run("test", "docs", "-o", "json")
    check("test", left.json)
    assert (left.exit_code, left.json["data"]["pytest_exit_code"]) == (1, 3)


def test_a_word_that_is_no_part_and_no_path_is_a_usage_error(run: Run, asked: Path) -> None:
    left = run("test", "units")
    assert left.exit_code == 2
    assert "'units' is neither a part of the tests nor a path" in left.stderr
    assert not asked.exists()


@pytest.mark.parametrize("words", [[], ["engine"], ["e2e"], ["engine26"]])
def test_a_part_that_needs_an_engine_is_never_skipped_silently(
    words: list[str], run: Run, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_report: object) -> None:
        raise EngineUnreachable("no engine can be had")

    monkeypatch.setattr("mcpctl.quickstart.machine.install_and_start", none)
    left = run("-H", "tcp://127.0.0.1:1", "test", *words)
    assert left.exit_code == 5
    assert "no engine can be had" in left.stderr
    assert not asked.exists()


def test_outside_a_source_tree_the_way_to_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.mcpctl, "__file__", str(tmp_path / "mcpctl" / "__init__.py"))
    with pytest.raises(McpctlError, match=f"{tmp_path} has no tests") as caught:
        source.source_tree("tests")
    assert caught.value.hint == "run ./bootstrap in a checkout of the project"


def test_serve_names_the_process_that_holds_its_port(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        left = run("serve", "--port", str(port), "-o", "json")
    check("serve", left.json)
    error = left.json["errors"][0]
    assert (left.exit_code, error["code"]) == (1, "port_taken")
    assert f"port {port} is taken by" in error["message"]
    assert f"process {os.getpid()}" in error["message"]
    assert error["hint"] == "mcpctl serve --port PORT"


def test_no_real_key_goes_near_the_sandbox() -> None:
    real = {
        "AWS_PROFILE": "prod",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "PATH": "/bin",
    }
    assert serve._sandboxed(real, "http://127.0.0.1:5000") == {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_serve_answers_until_it_is_terminated_and_leaves_no_process(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "mcpctl", "serve", "--port", str(port), "-o", "human"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "the tool service answers at" in line:
            break
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "error: terminated" in rest
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
