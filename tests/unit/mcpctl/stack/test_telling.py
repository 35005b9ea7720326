"""What is told of a stack: status words, diagnoses, merged logs, warnings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mcpctl.engine.times import parse
from mcpctl.engine.types import ExecResult, LogLine
from mcpctl.errors import ExitCode, McpctlError, NotFound, PortTaken, Unhealthy
from mcpctl.stack import apply, diagnosis, readiness, up
from mcpctl.stack import follow as follow_module
from mcpctl.stack import logs as logs_module
from mcpctl.stack.apply import Applier
from mcpctl.stack.diagnosis import diagnose, unhealthy
from mcpctl.stack.follow import Position, follow_logs
from mcpctl.stack.logs import LogRequest, read_logs
from mcpctl.stack.observe import observe
from mcpctl.stack.plan import unlabelled
from mcpctl.stack.readiness import Assessment
from mcpctl.stack.status import read_status
from mcpctl.stack.steps import Step
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.mcpctl.stack.world import World

CHECKED = "services: {a: {image: i, scale: 2, healthcheck: {test: [CMD, x]}}}"


def status(world: World, **options: Any) -> dict[str, Any]:
    (found,) = read_status(world.engine, world.project, **options)  # type: ignore[arg-type] - stands in
    return {**found.to_json(), **found.to_health_json(), "word": found.word}


def test_a_service_is_healthy_when_all_that_is_desired_is_proven_so(world: World) -> None:
    world.file(CHECKED)
    assert status(world)["word"] == "not created"
    world.up()
    found = status(world)
    assert (found["desired"], found["running"], found["healthy"], found["word"]) == (2, 2, True, "healthy")
    assert [item["health"] for item in found["containers"]] == ["healthy", "healthy"]
    assert found["latency_ms"] is not None
    world.engine.remove_container("p-a-2", force=True)
    assert status(world)["healthy"] is False


def test_one_sick_replica_speaks_for_its_service(world: World) -> None:
    world.file(CHECKED)
    world.up()
    sick = world.engine.container("p-a-2").id
    world.engine.probe = lambda container, _argv: ExecResult(int(container == sick), f"of {container}")
    found = status(world)
    assert (found["healthy"], found["word"], found["detail"]) == (False, "starting", f"of {sick}")
    assert [item["health"] for item in found["containers"]] == ["healthy", "starting"]


def test_the_engines_word_is_used_unless_a_fresh_look_is_asked_for(world: World) -> None:
    world.file(CHECKED)
    world.up()
    for name in ("p-a-1", "p-a-2"):
        world.engine.set_state(name, Health={"Status": "healthy", "Log": []})
    world.engine.probe = lambda _container, _argv: ExecResult(1, "down since")
    assert status(world)["healthy"] is True
    assert status(world)["latency_ms"] is None
    found = status(world, fresh=True)
    assert (found["healthy"], found["detail"]) == (False, "down since")


def test_a_service_scaled_to_nothing_is_well(world: World) -> None:
    world.file("services: {a: {image: i, scale: 0}}")
    found = status(world)
    assert (found["word"], found["healthy"]) == ("scaled to 0", True)


def test_a_stopped_service_is_not_well(world: World) -> None:
    world.file("services: {a: {image: i, restart: always}}")
    world.up()
    world.engine.stop("p-a-1")
    found = status(world)
    assert (found["word"], found["healthy"], found["running"]) == ("exited", False, 0)


def assessment(world: World, status: str = "starting", **state: Any) -> Assessment:
    world.file("services: {a: {image: i}}")
    world.up()
    world.engine.set_state("p-a-1", **state)
    return Assessment(world.engine.container("p-a-1"), "waiting", status, "no database")


def test_a_diagnosis_holds_all_that_is_known(world: World) -> None:
    looked = assessment(world, ExitCode=137, OOMKilled=True)
    found = diagnose(world.engine, looked)  # type: ignore[arg-type] - stands in for the engine
    assert found.to_json() == {
        "service": "a",
        "container": "p-a-1",
        "status": "starting",
        "health_output": "no database",
        "log": [f"line {diagnosis.LOG_LINES}"],
        "exit_code": 137,
        "exit_meaning": "SIGKILL: by hand, or for want of memory",
        "oom_killed": True,
        "restarts": 0,
        "error": "",
        "port": None,
        "port_holder": None,
        "next": "raise deploy.resources.limits.memory of a in the compose file",
    }
    error = unhealthy([found], timeout=120)
    assert error.exit_code == ExitCode.UNHEALTHY
    assert error.message == "not healthy within 120 s: a (killed for using more memory than its limit)"
    assert error.hint == "raise deploy.resources.limits.memory of a in the compose file"


@pytest.mark.parametrize(
    ("state", "status", "cause", "hint"),
    [
        ({"ExitCode": 4}, "exited with 4", "exited with 4", "mcpctl logs a"),
        (
            {"ExitCode": 127},
            "exited with 127",
            "exited with 127, its command was not found",
            "correct command or entrypoint of a in the compose file",
        ),
        (
            {"ExitCode": 139},
            "crash loop, 7 restarts",
            "crash loop, 7 restarts, SIGSEGV: it crashed",
            "mcpctl logs a",
        ),
    ],
)
def test_an_exit_is_told_with_its_meaning_and_no_limit_that_would_not_have_helped(
    world: World, state: dict[str, Any], status: str, cause: str, hint: str
) -> None:
    found = diagnose(world.engine, assessment(world, status, Status="exited", **state))  # type: ignore[arg-type] - stands in
    error = unhealthy([found], timeout=120, consequence="b depends on it")
    assert (error.message, error.hint) == (f"not healthy: a ({cause}); b depends on it", hint)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0, ""),
        (1, ""),
        (126, "its command cannot be executed"),
        (143, "SIGTERM: somebody stopped it"),
        (131, "SIGQUIT"),
        (255, ""),
    ],
)
def test_exit_codes_have_meanings(code: int, meaning: str) -> None:
    assert diagnosis.exit_meaning(code) == meaning


@pytest.mark.parametrize(
    ("line", "port"),
    [
        (
            "OSError: [Errno 98] error while attempting to bind on ('0.0.0.0', 8000): address already in use",
            8000,
        ),
        ("listen tcp :8080: bind: address already in use", 8080),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", 80),
        ("Error: listen EADDRINUSE: address already in use :::3000", 3000),
        ("driver failed: Bind for 127.0.0.1:5432 failed: port is already allocated", 5432),
        ("Port 8000 is in use by another program", 8000),
        ("the connection 10 is in order", None),
    ],
)
def test_a_port_in_use_is_found_in_what_the_service_said(
    world: World, monkeypatch: pytest.MonkeyPatch, line: str, port: int | None
) -> None:
    def said(_engine: object, container: str, *, tail: int) -> list[LogLine]:
        return [LogLine(container, "stderr", STAMP.format(tail), line)]

    looked = assessment(world, "exited with 1")
    monkeypatch.setattr(diagnosis, "logs", said)
    world.engine._raw("p-a-1")["HostConfig"]["NetworkMode"] = "host"
    world.engine.published[port or 0] = "other-1"
    found = diagnose(world.engine, looked)  # type: ignore[arg-type] - stands in for the engine
    assert (found.port, found.port_holder) == (port, "other-1" if port else None)
    if port:
        assert (
            unhealthy([found]).message
            == f"not healthy: a (exited with 1, port {port} is in use by container other-1)"
        )
        assert found.next == "docker stop other-1"


def test_a_port_in_use_inside_a_container_is_nobodys_elsewhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = assessment(world, "exited with 1")
    line = LogLine("a", "stderr", STAMP.format(1), "bind to :8000: address already in use")
    monkeypatch.setattr(diagnosis, "logs", lambda *_args, **_options: [line])
    world.engine.published[8000] = "other-1"
    found = diagnose(world.engine, looked)  # type: ignore[arg-type] - stands in for the engine
    assert (found.port, found.port_holder, found.next) == (8000, None, "mcpctl logs a")


def test_a_log_that_cannot_be_read_does_not_hide_the_diagnosis(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_options: object) -> list[LogLine]:
        raise NotFound("no such container")

    looked = assessment(world)
    monkeypatch.setattr(diagnosis, "logs", broken)
    assert diagnose(world.engine, looked).log == ("(no log: no such container)",)  # type: ignore[arg-type] - stands in


def test_two_culprits_are_both_named(world: World) -> None:
    found = diagnose(world.engine, assessment(world))  # type: ignore[arg-type] - stands in for the engine
    assert unhealthy([found, found]).message == "not healthy: a (starting); a (starting)"


STAMP = "2024-05-06T07:08:{:02}.000000000Z"


def with_logs(monkeypatch: pytest.MonkeyPatch, lines: dict[str, list[int | Exception]]) -> None:
    def fake(_engine: object, container: str, **_options: object) -> Iterator[LogLine]:
        for item in lines[container]:
            if isinstance(item, Exception):
                raise item
            yield LogLine(container, "stdout", STAMP.format(item), str(item))

    @contextmanager
    def silence(*_args: object, **_options: object) -> Iterator[tuple[()]]:
        yield ()

    for module in (logs_module, follow_module):
        monkeypatch.setattr(module, "logs", fake)
    monkeypatch.setattr(follow_module, "listening", silence)
    monkeypatch.setattr(follow_module, "engine_time", lambda _engine: 0.0)


PAIR = "services: {a: {image: i}, b: {image: i}}"


def test_logs_are_merged_by_time_and_chosen_by_service(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project = world.file(PAIR)
    world.up()
    a, b = (world.engine.container(f"p-{name}-1").id for name in "ab")
    with_logs(monkeypatch, {a: [1, 4, 5], b: [2, 3, 6]})
    lines = list(read_logs(world.engine, project, LogRequest()))  # type: ignore[arg-type] - stands in
    assert [(item.service, item.line.text) for item in lines] == [
        ("a", "1"), ("b", "2"), ("b", "3"), ("a", "4"), ("a", "5"), ("b", "6"),
    ]  # fmt: skip
    assert lines[0].to_json() == {
        "service": "a",
        "container": "p-a-1",
        "stream": "stdout",
        "timestamp": STAMP.format(1),
        "text": "1",
    }
    chosen = read_logs(world.engine, project, LogRequest(("b",)))  # type: ignore[arg-type] - stands in
    assert {item.service for item in chosen} == {"b"}
    with pytest.raises(NotFound):
        list(read_logs(world.engine, project, LogRequest(("c",))))  # type: ignore[arg-type] - stands in


def test_following_ends_when_all_have_ended_and_tells_a_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = world.file(PAIR)
    world.up()
    a, b = (world.engine.container(f"p-{name}-1").id for name in "ab")
    for name in "ab":
        world.engine.set_state(f"p-{name}-1", Status="exited")
    with_logs(monkeypatch, {a: [1, 2], b: [3]})
    lines = list(follow_logs(world.engine, project, LogRequest()))  # type: ignore[arg-type] - stands in
    assert sorted(item.line.text for item in lines) == ["1", "2", "3"]
    with_logs(monkeypatch, {a: [], b: [McpctlError("the engine went away")]})
    with pytest.raises(McpctlError, match="went away"):
        list(follow_logs(world.engine, project, LogRequest()))  # type: ignore[arg-type] - stands in


def line(text: str, second: int, stream: Literal["stdout", "stderr"] = "stdout") -> LogLine:
    return LogLine("c", stream, STAMP.format(second), text)


def test_what_is_read_again_after_a_restart_is_shown_once() -> None:
    position = Position(5.0)
    assert position.resume_at() == 5.0
    # stdout and stderr may be out of order by a little, and lines of one moment may be equal
    first = [line("a", 2), line("b", 1, "stderr"), line("c", 3), line("c", 3), line("d", 3)]
    assert list(position.fresh(iter(first))) == first
    assert position.resume_at() == pytest.approx(parse(STAMP.format(3)).timestamp() - 0.1)
    again = [*first[2:], line("d", 3), line("e", 4)]
    assert list(position.fresh(iter(again))) == [line("d", 3), line("e", 4)]
    assert list(position.fresh(iter([line("e", 4)]))) == []


def test_somebody_elses_volume_or_network_of_the_name_is_used_with_a_warning(world: World) -> None:
    project = world.file("services: {a: {image: i, volumes: ['data:/d']}}\nvolumes: {data: {}}")
    world.engine.create_volume(project.volumes["data"], {})
    world.engine.create_network(project.networks["default"], {})
    assert unlabelled(project, observe(world.engine, project)) == (  # type: ignore[arg-type] - stands in
        "volume p_data was not created by this project; it is used as it is",
        "network p_default was not created by this project; it is used as it is",
    )
    world.engine._volumes.clear()
    world.engine._networks.clear()
    world.up()
    assert unlabelled(project, observe(world.engine, project)) == ()  # type: ignore[arg-type] - as above


def bring_up(world: World, holder: str | None = None) -> up.UpResult:
    return up.up(world.engine, world.project, up.UpRequest(), Silence(), lambda _address, _port: holder)  # type: ignore[arg-type] - as above


def test_up_warns_of_orphans_by_name(world: World) -> None:
    world.file(PAIR)
    bring_up(world)
    world.file("services: {a: {image: i}}")
    (warning,) = bring_up(world).warnings
    assert "p-b-1" in warning
    assert "mcpctl clean" in warning


PORTED = "services: {a: {image: i, ports: ['127.0.0.1:8000:80']}}"


def test_a_port_in_use_stops_up_before_anything_is_made(world: World) -> None:
    world.file(PORTED)
    with pytest.raises(PortTaken, match="a: port 8000 is taken by nginx"):
        bring_up(world, "nginx (process 5)")
    world.engine.published[8000] = "other-web-1"
    with pytest.raises(PortTaken) as caught:
        bring_up(world)
    assert caught.value.details["holder"] == "container other-web-1"
    assert caught.value.hint
    assert caught.value.hint.startswith("docker stop other-web-1")
    assert world.engine.calls == []


def test_a_port_that_the_engine_finds_taken_is_told_with_its_holder(world: World) -> None:
    world.file(PORTED)
    world.engine.faults["start p-a-1"] = PortTaken("starting: port 8000 is taken", details={"port": 8000})
    with pytest.raises(PortTaken, match="starting: port 8000 is taken") as caught:
        bring_up(world)
    assert caught.value.details["service"] == "a"


def test_what_does_not_become_ready_is_an_unhealthy_stack(world: World) -> None:
    world.file("services: {a: {image: i, healthcheck: {test: [CMD, x]}}}")
    world.engine.probe = lambda _container, _argv: ExecResult(1, "no")
    request = up.UpRequest(wait_timeout=0.05)
    with pytest.raises(Unhealthy, match=r"not healthy within 0\.05 s: a"):
        up.up(world.engine, world.project, request, Silence(), lambda _address, _port: None)  # type: ignore[arg-type] - stands in


def test_a_cancelled_run_neither_sits_out_its_waits_nor_blames_what_it_waited_for(world: World) -> None:
    project = world.file("services: {a: {image: i, healthcheck: {test: [CMD, x]}}}")
    world.up()
    world.engine.probe = lambda _container, _argv: ExecResult(1, "no")
    applier = Applier(
        world.engine,  # type: ignore[arg-type] - stands in for the engine
        project,
        observe(world.engine, project),  # type: ignore[arg-type] - as above
        Silence(),
        wait_timeout=3600,
    )
    applier.cancel()
    wait = Step("wait", "await healthy", "a", ("a test",), service="a")
    applier.perform(wait)
    world.engine.set_state("p-a-1", Status="exited", ExitCode=3)
    with pytest.raises(Unhealthy, match="exited with 3"):
        applier.perform(wait)


def test_the_limit_bounds_all_waits_of_a_run_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait takes 40 of 120 seconds by a clock that only waits move."""
    clock, limits = [1000.0], list[float]()

    def wait(_engine: object, _containers: object, *, timeout: float, **_options: object) -> tuple[()]:
        limits.append(timeout)
        clock[0] += 40
        return ()

    monkeypatch.setattr(readiness.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(apply, "wait_ready", wait)
    monkeypatch.setattr(up, "wait_ready", wait)
    world.file(
        """
        services:
          a: {image: i}
          b: {image: i, depends_on: {a: {condition: service_healthy}}}
          c: {image: i, depends_on: {b: {condition: service_healthy}}}
        """
    )
    bring_up(world)
    assert limits == [120, 80, 40]
