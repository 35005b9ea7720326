"""The outermost frame: usage, exit codes, one document in JSON mode, signals, readers that leave, bugs."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from mcpctl.cli import lifecycle
from mcpctl.cli.app import build_app
from mcpctl.errors import McpctlError
from mcpctl.main import Terminated
from mcpctl.runtime import Runtime
from tests.docs.schema_check import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "tcp://127.0.0.1:1"
NO_SOCKET = "unix:///nonexistent/docker.sock"
PROJECT = """\
name: demo
services:
  web:
    image: demo-web
    ports: ["127.0.0.1:18765:80"]
"""


# where connecting fails, the Docker SDK leaves its socket to the garbage collector
a_socket_stays_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one service, and the working directory in it."""
    (tmp_path / "compose.yaml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(*words: str, **keywords: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mcpctl", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **{"stdout": subprocess.PIPE, **keywords},
    )


@pytest.mark.parametrize(
    ("words", "message", "help_command"),
    [
        (["up", "--nonsense"], "No such option: --nonsense", "mcpctl up --help"),
        (["nonsense"], "No such command 'nonsense'", "mcpctl --help"),
        (["aws", "nonsense"], "No such command 'nonsense'", "mcpctl aws --help"),
        (["tools", "call"], "Missing argument 'TOOL'", "mcpctl tools call --help"),
        (
            ["up", "--wait-timeout", "soon"],
            "'--wait-timeout': Input should be a valid number",
            "mcpctl up --help",
        ),
        (["status", "-o", "yaml"], "'yaml' is not one of 'human', 'json'", "mcpctl status --help"),
        (["down", "--rmi", "some"], "--rmi 'some' is neither local nor all", "mcpctl down --help"),
        (["up", "--scale", "web"], "--scale 'web' is not SERVICE=N", "for example: --scale backend=2"),
        (["up", "--pull", "x"], "--pull 'x' is none of always, missing,", "for example: --pull always"),
        (["up", "--build", "--no-build"], "--build and --no-build exclude each other", "mcpctl up --help"),
        (
            ["up", "--force-recreate", "--no-recreate"],
            "--force-recreate and --no-recreate exclude each other",
            "mcpctl up --help",
        ),
        (["clean", "--dry-run", "all"], "--dry-run stands before all", "mcpctl clean all --dry-run"),
    ],
)
def test_a_usage_error_says_what_is_wrong_and_which_help_to_read(
    words: list[str], message: str, help_command: str, run: Run, project: Path
) -> None:
    left = run(*words)
    assert (left.exit_code, left.stdout) == (2, "")
    assert message in left.stderr
    assert "Value error" not in left.stderr
    assert left.stderr.endswith(f"  next: {help_command}\n")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["up", "--nonsense", "-o", "json"], "up"),
        (["up", "--build", "--no-build", "-o", "json"], "up"),
        (["-C", "up", "tools", "call", "-o", "json"], "tools call"),
        (["nonsense", "--output=json"], ""),
        (["aws", "-ojson"], "aws"),
        (["clean", "-ojson", "all"], "clean"),
    ],
)
def test_a_usage_error_speaks_json_when_asked_to(words: list[str], command: str, run: Run) -> None:
    left = run(*words)
    assert left.exit_code == 2
    assert left.stderr == ""
    check(command, left.json)
    assert left.json["errors"][0]["code"] == "usage"


def test_json_after_two_dashes_is_an_argument_not_an_option(run: Run) -> None:
    left = run("nonsense", "--", "-o", "json")
    assert (left.exit_code, left.stdout) == (2, "")
    assert left.stderr.startswith("error: ")


@pytest.mark.parametrize("words", [[], ["aws"], ["tools"], ["engine"]])
def test_no_command_shows_the_help_and_no_error(words: list[str], run: Run) -> None:
    left = run(*words)
    assert (left.exit_code, left.stdout) == (2, "")
    assert left.stderr.startswith(f"Usage: {' '.join(['mcpctl', *words])} [OPTIONS] COMMAND")
    assert "error:" not in left.stderr


def test_every_line_of_a_command_list_is_whole(run: Run) -> None:
    shown = "".join(run(*words, "--help").stdout for words in ([], ["aws"], ["tools"], ["engine"]))
    cut = [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage:")]
    assert cut == []


def leaves(group: Any, path: tuple[str, ...] = ()) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, command in group.commands.items():
        words = (*path, name)
        if hasattr(command, "commands"):
            found |= leaves(command, words)
        else:
            found[" ".join(words)] = list(words)
    return found


COMMANDS = leaves(typer.main.get_command(build_app()))
NOT_FAILING_HERE = {"engine install", "engine start", "test", "serve", "aws list-profiles", "config"}
"""Two touch the machine's engine, two run for long, profiles may be empty, `config` asks no engine."""
ARGUMENTS = {"tools call": ["aws/validate-credentials"], "exec": ["web", "true"], "run": ["web", "true"]}
EXPECTED = {
    "aws validate": 6,
    "aws account-info": 6,
    "aws test": 6,
    "tools list": 1,
    "tools call": 1,
    "shell": 2,  # a terminal is what it needs first
}


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - NOT_FAILING_HERE))
def test_a_command_that_fails_answers_with_one_document(command: str, run: Run, project: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = ["--url", f"http://127.0.0.1:{unused.getsockname()[1]}"] if command.startswith("tools") else []
        left = run("-H", NOWHERE, *COMMANDS[command], "-o", "json", *url, *ARGUMENTS.get(command, []))
    assert left.exit_code == EXPECTED.get(command, 5), left.stdout
    assert left.stdout.count("\n") == 1
    assert left.stderr == ""
    check(command, left.json)
    assert left.json["exit_code"] == left.exit_code


def test_following_logs_ends_with_the_error_as_a_line_of_its_own(run: Run, project: Path) -> None:
    left = run("-H", NOWHERE, "logs", "--follow", "-o", "json")
    check("logs", left.json)
    assert left.json["errors"][0]["code"] == "engine_unreachable"


@a_socket_stays_open
def test_an_unreachable_engine_is_named_with_the_reason_it_was_chosen(run: Run, project: Path) -> None:
    left = run("-H", NO_SOCKET, "status")
    gc.collect()
    assert left.exit_code == 5
    assert left.stderr == (
        f"error: no Docker Engine answers at {NO_SOCKET} (--host): no such file or directory\n"
        "  next: mcpctl engine start\n"
    )


def test_an_engine_from_the_environment_is_named_as_such(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    assert f"no Docker Engine answers at {NOWHERE} (DOCKER_HOST)" in run("status").stderr


def test_an_unknown_context_never_means_the_default_engine(run: Run, project: Path) -> None:
    left = run("--context", "production", "status")
    assert left.exit_code == 4
    assert "there is no Docker context 'production' (--context production)" in left.stderr
    assert "known contexts: default" in left.stderr


@pytest.mark.parametrize("command", ["build", "logs"])
def test_an_unknown_service_is_not_found_and_the_known_ones_are_named(
    command: str, run: Run, project: Path
) -> None:
    left = run("-H", NOWHERE, command, "wep", "-o", "json")
    assert left.exit_code == 10
    error = left.json["errors"][0]
    assert error["code"] == "not_found"
    assert error["hint"] == "did you mean 'web'? services: web"


@a_socket_stays_open
def test_a_question_without_a_terminal_needs_yes(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpctl.engine.sockets.DEFAULT_SOCKET", "/nonexistent/docker.sock")
    left = run("quick-start", "-o", "json")
    gc.collect()
    assert left.exit_code == 3
    error = left.json["errors"][0]
    assert (error["code"], error["hint"]) == ("confirmation_required", "mcpctl quick-start -o json --yes")
    assert not (project / ".env").exists()


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """Let what is started hear Ctrl-C, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def silent_service() -> Iterator[socket.socket]:
    """A listener that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.mark.parametrize(
    ("signal_sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.parametrize("form", ["human", "json"])
@pytest.mark.usefixtures("heard_interrupts")
def test_a_signal_ends_the_command_with_its_own_exit_code_and_an_answer(
    signal_sent: signal.Signals,
    code: int,
    word: str,
    form: str,
    silent_service: socket.socket,
    tmp_path: Path,
) -> None:
    url = f"http://127.0.0.1:{silent_service.getsockname()[1]}"
    process = start("tools", "list", "--url", url, "-o", form, cwd="/")
    connection, _ = silent_service.accept()
    with connection:
        process.send_signal(signal_sent)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    if form == "json":
        document = json.loads(stdout)
        check("tools list", document)
        assert document["errors"][0]["message"] == word
    else:
        assert stdout == b""
        assert f"error: {word}".encode() in stderr
    assert b"Traceback" not in stderr


@pytest.mark.parametrize("words", ["--help", "aws list-profiles", "aws list-profiles -o json"])
def test_a_reader_that_leaves_early_is_no_failure(words: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*words.split(), cwd=tmp_path, stdout=writing)
    os.close(writing)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (0, b"")


def test_work_goes_on_when_nobody_reads_its_progress(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(PROJECT)
    (tmp_path / "compose.yml").write_text(PROJECT)  # the second file makes a warning
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "mcpctl", "aws", "list-profiles"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    stdout, _ = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (0, b"no profiles; next: aws configure\n")


def broken(runtime: Runtime) -> None:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("flags", [[], ["-v"]])
def test_a_bug_is_an_internal_error_whose_trace_is_shown_only_on_demand(
    flags: list[str], run: Run, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.setattr(Runtime, "load_request", broken)
    left = run(*flags, "status")
    assert (left.exit_code, left.stdout) == (70, "")
    assert "error: internal error: ZeroDivisionError: a bug\n" in left.stderr
    assert ("Traceback" in left.stderr) == bool(flags)


def test_a_bug_still_gives_one_document(run: Run, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setattr(Runtime, "load_request", broken)
    left = run("status", "-o", "json")
    check("status", left.json)
    assert (left.json["exit_code"], left.stderr) == (70, "")


def audit(project: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project / ".mcpctl/audit.jsonl").read_text().splitlines()]


def test_a_command_that_changes_something_leaves_a_line_in_the_audit_trail(run: Run, project: Path) -> None:
    run("-H", NOWHERE, "up")
    (line,) = audit(project)
    assert (line["command"], line["exit_code"]) == ("up", 5)
    assert line["arguments"] == ["-H", NOWHERE, "up"]
    assert line.keys() >= {"at", "user", "host", "seconds"}


@pytest.mark.parametrize("words", [["status"], ["up", "--dry-run"], ["tools", "call", "x", "token=hunter2"]])
def test_a_command_that_only_looks_leaves_none(words: list[str], run: Run, project: Path) -> None:
    run("-H", NOWHERE, *words)
    assert not (project / ".mcpctl").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["-H", "tcp://operator:hunter2@127.0.0.1:1", "up"],
        ["--host=tcp://operator:hunter2@127.0.0.1:1", "up"],
        ["-H", NOWHERE, "up", "token=hunter2"],
        ["-H", NOWHERE, "run", "-e", "TOKEN=hunter2", "backend", "mysql", "-phunter2", "hunter2"],
    ],
)
def test_no_secret_reaches_the_audit_trail(words: list[str], run: Run, project: Path) -> None:
    left = run(*words)
    assert left.exit_code in {4, 5, 10}
    assert "hunter2" not in left.stderr or "token=" in words[-1]
    assert "hunter2" not in (project / ".mcpctl/audit.jsonl").read_text()
    assert "hunter2" in " ".join(words)


def test_of_the_command_in_a_container_the_audit_trail_has_the_program_alone(run: Run, project: Path) -> None:
    run("-H", NOWHERE, "run", "--rm", "backend", "curl", "-H", "Authorization: Bearer x", "http://y")
    run("-H", NOWHERE, "run", "backend", "id")
    run("-H", NOWHERE, "run", "backend")
    assert [line["arguments"][2:] for line in audit(project)] == [
        ["run", "--rm", "backend", "curl", "***"],
        ["run", "backend", "id"],
        ["run", "backend"],
    ]


@pytest.mark.parametrize(
    ("raised", "code"),
    [(KeyboardInterrupt(), 130), (Terminated(), 143), (ValueError(), 70), (McpctlError("x"), 1)],
)
def test_the_audit_trail_has_the_exit_code_that_the_caller_saw(
    raised: BaseException, code: int, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(lifecycle, "_bring_up", fail)
    assert run("up").exit_code == code
    assert audit(project)[-1]["exit_code"] == code
