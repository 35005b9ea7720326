"""The answer goes to stdout, everything else to stderr; JSON mode is silent but for its document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mcpctl.errors import EngineFailed, McpctlError, Unhealthy
from mcpctl.output.outcome import Format, Outcome, failed
from mcpctl.output.progress import Progress
from mcpctl.output.writer import Writer
from mcpctl.runtime import Runtime

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


def test_a_note_is_said_beside_the_answer_and_only_to_people(capfd: Capture) -> None:
    Writer().note("building")
    assert tuple(capfd.readouterr()) == ("", "building\n")
    Writer(quiet=True).note("building")
    Writer(format=Format.JSON).note("building")
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_warning_is_said_once_and_kept_for_the_document(capfd: Capture) -> None:
    writer = Writer(quiet=True)
    writer.warn("old key")
    writer.warn("old key")
    assert tuple(capfd.readouterr()) == ("", "warning: old key\n")
    assert writer.warnings == ["old key"]


def test_a_warning_in_json_mode_is_in_the_document_alone(capfd: Capture) -> None:
    writer = Writer(format=Format.JSON)
    writer.warn("old key")
    writer.answer("up", failed(McpctlError("x"), writer.warnings))
    captured = capfd.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out)["warnings"] == ["old key"]


def test_a_document_is_one_line_and_keeps_every_letter(capfd: Capture) -> None:
    Writer(format=Format.JSON).answer("x", Outcome({"text": "Zoë\n[red]" + "long " * 50}))
    out = capfd.readouterr().out
    assert out.count("\n") == 1
    assert "Zoë" in out
    assert json.loads(out)["data"]["text"] == "Zoë\n[red]" + "long " * 50


def test_an_error_says_what_failed_and_what_to_type(capfd: Capture) -> None:
    Writer().answer("up", failed(McpctlError("it [broke]", hint="mcpctl up")))
    assert tuple(capfd.readouterr()) == ("", "error: it [broke]\n  next: mcpctl up\n")


def test_an_unhealthy_container_is_shown_with_its_last_words(capfd: Capture) -> None:
    culprit = {
        "service": "backend",
        "status": "exited",
        "exit_code": 3,
        "restarts": 2,
        "oom_killed": True,
        "health_output": "refused\nagain",
        "log": ["first", "second"],
    }
    quiet = {
        **culprit,
        "service": "web",
        "status": "exited with 139",
        "exit_code": 139,
        "exit_meaning": "SIGSEGV: it crashed",
        "restarts": 0,
        "oom_killed": False,
        "port": 8000,
        "port_holder": "other-1",
        "health_output": "",
        "log": [],
    }
    Writer().error(Unhealthy("not healthy in time", details={"containers": [culprit, quiet]}))
    assert capfd.readouterr().err == (
        "error: not healthy in time\n"
        "  backend: exited, exit code 3, 2 restarts, out of memory\n"
        "    last healthcheck:\n"
        "      refused\n"
        "      again\n"
        "    last log lines:\n"
        "      first\n"
        "      second\n"
        "  web: exited with 139, SIGSEGV: it crashed, port 8000 is in use by other-1\n"
    )


def test_a_failed_build_is_shown_with_its_last_lines(capfd: Capture) -> None:
    Writer().error(EngineFailed("the build failed", details={"output": "step 1\nboom"}))
    assert capfd.readouterr().err == "error: the build failed\n  step 1\n  boom\n"


class Step:
    action = "create container"
    target = "web-1"


class Wait:
    action = "await healthy"
    target = "web-1"


class Seen:
    def __init__(self, verdict: str, status: str) -> None:
        self.verdict, self.status, self.detail = verdict, status, "HTTP 200"


def told(capfd: Capture) -> list[str]:
    """Return the lines on stderr without their times."""
    return [line.partition(" (")[0] for line in capfd.readouterr().err.splitlines()]


def test_each_step_is_told_when_it_ends_and_a_wait_only_by_its_verdict(capfd: Capture) -> None:
    with Progress(Writer()) as progress:
        progress.started(Step())
        progress.finished(Step())
        progress.started(Wait())
        progress.assessed("web", Seen("waiting", "starting"))
        progress.assessed("web", Seen("ready", "healthy"))
        progress.assessed("web", Seen("ready", "healthy"))
        progress.finished(Wait())
        progress.failed(Step(), EngineFailed("x"))
    assert told(capfd) == ["create container web-1: done", "web: healthy", "create container web-1: failed"]


def test_a_builders_lines_are_thinned_unless_all_are_asked_for(capfd: Capture) -> None:
    for verbose, expected in ((False, ["  1"]), (True, ["  1", "  2", "  3"])):
        with Progress(Writer(verbose=verbose)) as progress:
            for number in (1, 2, 3):
                progress.line(str(number))
        assert told(capfd) == expected


def test_each_step_of_a_build_is_told_as_it_begins(capfd: Capture) -> None:
    lines = [
        "Step 1/2 : FROM a",
        " ---> 1234",
        "Step 2/2 : RUN b",
        "[app 2/3] RUN c",
        "[internal] load x",
        "d [1/2]",
    ]
    with Progress(Writer()) as progress:
        for line in lines:
            progress.line(line)
    assert told(capfd) == ["  Step 1/2 : FROM a", "  Step 2/2 : RUN b", "  [app 2/3] RUN c"]


def test_progress_is_silent_in_json_mode(capfd: Capture) -> None:
    with Progress(Writer(format=Format.JSON)) as progress:
        progress.finished(Step())
        progress.line("building")
    assert tuple(capfd.readouterr()) == ("", "")


def test_yes_answers_every_question(tmp_path: Path) -> None:
    assert Runtime(environ={}, working_directory=tmp_path).confirm("Remove it?", yes=True) is True


def test_without_a_terminal_the_question_is_told_with_what_answers_it(tmp_path: Path) -> None:
    runtime = Runtime(environ={}, working_directory=tmp_path)
    with pytest.raises(McpctlError) as caught:
        runtime.confirm("This removes the data.", yes=False)
    assert caught.value.message == "there is no terminal to ask on: This removes the data."
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("typed", "meant"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_only_a_yes_is_a_yes(
    typed: str, meant: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(Writer, "interactive", True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert Runtime(environ={}, working_directory=tmp_path).confirm("Remove it?", yes=False) is meant


@pytest.mark.parametrize(
    ("answer", "meant"),
    [("shop\n", True), (" shop \n", True), ("y\n", False), ("Shop\n", False), ("", False)],
)
def test_where_data_goes_only_the_very_name_is_a_yes(
    answer: str, meant: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(Writer, "interactive", True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    runtime = Runtime(environ={}, working_directory=tmp_path)
    assert runtime.confirm("Remove it?", yes=False, typed="shop") is meant
    if not meant:
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with pytest.raises(McpctlError, match="nothing was changed") as caught:
            runtime.require_yes("Remove it?", yes=False, typed="shop")
        assert caught.value.hint == "type shop, or give --yes"
