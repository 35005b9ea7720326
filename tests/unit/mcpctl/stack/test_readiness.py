"""Timelines of containers, as an engine shows them, and what is made of each."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.engine.streams import ExecTimedOut
from mcpctl.engine.types import ExecResult
from mcpctl.errors import EngineFailed, EngineUnreachable, NotFound
from mcpctl.stack import readiness
from mcpctl.stack.observe import observe_containers
from mcpctl.stack.readiness import (
    CRASH_LOOP_RESTARTS,
    LAST_CHANCES,
    Assessment,
    Deadline,
    Until,
    Wanted,
    assess,
    probe_command,
    probe_timeout,
    wait_ready,
)
from tests.fakes.engine import LONG_AGO
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpctl.engine.types import Container
    from tests.unit.mcpctl.stack.world import World

RUNNING: dict[str, Any] = {"Status": "running"}
STARTING = {**RUNNING, "Health": {"Status": "starting"}}
HEALTHY = {**RUNNING, "Health": {"Status": "healthy", "Log": [{"ExitCode": 0, "Output": "fine\n"}]}}
SICK = {**RUNNING, "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 1, "Output": "bad"}]}}
JUST_NOW = "2999-01-01T00:00:00Z"

CHECKED = "services: {a: {image: i, healthcheck: {test: [CMD, probe, now]}}}"
PLAIN = "services: {a: {image: i}}"


def watch(
    world: World, text: str, *states: dict[str, Any], until: Until = "ready", timeout: float = 5
) -> Assessment:
    """Bring one container up, play its timeline, and return how the wait ended."""
    world.file(text)
    world.up()
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    world.engine.script("p-a-1", *states)
    (found,) = wait_ready(world.engine, containers, timeout=timeout, watch=Silence(), wanted=Wanted(until))  # type: ignore[arg-type] - as above
    return found


def answers(world: World, *results: ExecResult | Exception) -> list[Sequence[str]]:
    """Let each probe find the next result; the last one stays. Returns the commands that were run."""
    left, seen = list(results), list[Any]()

    def probe(_container: str, argv: Sequence[str]) -> ExecResult:
        seen.append(tuple(argv))
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, Exception):
            raise result
        return result

    world.engine.probe = probe
    return seen


def test_a_container_is_ready_as_soon_as_its_own_check_passes_whatever_the_engine_says(world: World) -> None:
    seen = answers(world, ExecResult(1, "not yet"), ExecResult(1, "not yet"), ExecResult(0, "up\n"))
    found = watch(world, CHECKED, STARTING)
    assert (found.verdict, found.status, found.detail) == ("ready", "healthy", "up")
    assert seen == [("probe", "now")] * 3
    assert found.latency_ms is not None


def test_the_engines_own_verdict_is_enough(world: World) -> None:
    seen = answers(world, ExecResult(1, ""))
    found = watch(world, CHECKED, STARTING, HEALTHY)
    assert (found.verdict, found.detail) == ("ready", "fine")
    assert len(seen) == 1


def test_unhealthy_for_the_engine_may_still_become_ready(world: World) -> None:
    answers(world, ExecResult(1, "bad"), ExecResult(0, "good"))
    assert watch(world, CHECKED, SICK).verdict == "ready"


def test_a_check_that_never_passes_runs_out_of_time_with_its_last_words(world: World) -> None:
    answers(world, ExecResult(1, "no database\n"))
    found = watch(world, CHECKED, STARTING, timeout=0.05)
    assert (found.verdict, found.status, found.detail) == ("waiting", "starting", "no database")
    answers(world, ExecResult(1, "still none"))
    assert watch(world, CHECKED, SICK, timeout=0.05).status == "unhealthy"


def test_a_check_that_hangs_is_told_as_such(world: World) -> None:
    answers(world, ExecTimedOut("slow"))
    found = watch(world, CHECKED, STARTING, timeout=0.05)
    assert (found.verdict, found.status, found.detail) == (
        "waiting",
        "unhealthy",
        "the healthcheck did not end in time",
    )


@pytest.mark.parametrize("error", [EngineFailed("container is restarting"), NotFound("no such container")])
def test_a_check_on_a_container_that_stops_under_it_is_tried_again(world: World, error: Exception) -> None:
    answers(world, error, ExecResult(0, ""))
    assert watch(world, CHECKED, STARTING).verdict == "ready"


def test_a_lost_engine_is_no_lack_of_health(world: World) -> None:
    answers(world, EngineUnreachable("gone"))
    with pytest.raises(EngineUnreachable):
        watch(world, CHECKED, STARTING)


def test_a_container_that_restarts_and_then_turns_healthy_is_healthy(world: World) -> None:
    answers(world, ExecResult(0, "up"))
    found = watch(
        world,
        CHECKED.replace("image: i", "image: i, restart: always"),
        {"Status": "restarting", "ExitCode": 1, "RestartCount": 1},
        {"Status": "exited", "ExitCode": 1, "RestartCount": 2},
        {**STARTING, "RestartCount": 2},
    )
    assert (found.verdict, found.container.restart_count) == ("ready", 2)


def test_a_crash_loop_is_recognised_without_waiting_for_the_limit(world: World) -> None:
    given_up = CRASH_LOOP_RESTARTS + LAST_CHANCES
    loop = [
        {"Status": "restarting", "ExitCode": 3, "RestartCount": count} for count in range(1, given_up + 1)
    ]
    found = watch(world, PLAIN.replace("image: i", "image: i, restart: always"), *loop, timeout=30)
    assert (found.verdict, found.status, found.detail) == (
        "failed",
        f"crash loop, {given_up} restarts",
        "exit 3",
    )


def test_a_crash_loop_is_not_given_up_while_another_is_on_its_way(world: World) -> None:
    world.file("services: {app: {image: i, restart: always}, db: {image: i}}")
    world.up()
    many = [
        {"Status": "restarting", "ExitCode": 1, "RestartCount": count}
        for count in range(1, CRASH_LOOP_RESTARTS + LAST_CHANCES + 3)
    ]
    world.engine.script("p-app-1", *many, {**RUNNING, "StartedAt": LONG_AGO})
    world.engine.script(
        "p-db-1", *[{**RUNNING, "StartedAt": JUST_NOW}] * 60, {**RUNNING, "StartedAt": LONG_AGO}
    )
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    found = wait_ready(world.engine, containers, timeout=60, watch=Silence())  # type: ignore[arg-type] - as above
    assert [item.verdict for item in found] == ["ready", "ready"]


def test_a_crash_loop_that_runs_out_of_time_is_called_one(world: World) -> None:
    world.file("services: {app: {image: i, restart: always}, db: {image: i}}")
    world.up()
    world.engine.script(
        "p-app-1", {"Status": "restarting", "ExitCode": 1, "RestartCount": CRASH_LOOP_RESTARTS}
    )
    world.engine.script("p-db-1", {**RUNNING, "StartedAt": JUST_NOW})
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    found = wait_ready(world.engine, containers, timeout=0.05, watch=Silence())  # type: ignore[arg-type] - as above
    assert sorted((item.verdict, item.status) for item in found) == [
        ("waiting", f"crash loop, {CRASH_LOOP_RESTARTS} restarts"),
        ("waiting", "starting"),
    ]


def test_a_process_that_ends_well_and_is_restarted_for_ever_is_a_crash_loop(world: World) -> None:
    loop = [{"Status": "restarting", "ExitCode": 0, "RestartCount": count} for count in range(1, 20)]
    found = watch(world, PLAIN.replace("image: i", "image: i, restart: always"), *loop, timeout=30)
    assert (found.verdict, found.detail) == ("failed", "exit 0")


def test_restarts_from_before_the_wait_do_not_count(world: World) -> None:
    world.file(CHECKED)
    world.up()
    world.engine.script("p-a-1", {**STARTING, "RestartCount": 50})
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    assert containers[0].restart_count == 0
    world.engine.container("p-a-1")
    (seen,) = observe_containers(world.engine, "p")  # type: ignore[arg-type] - as above
    looked = assess(world.engine, seen, restarts_before=50)  # type: ignore[arg-type] - as above
    assert looked.verdict == "ready"


@pytest.mark.parametrize(
    ("restart", "exit_code", "verdict", "status"),
    [
        ("no", 0, "ready", "completed"),
        ("no", 2, "failed", "exited with 2"),
        ("on-failure", 0, "ready", "completed"),
        ("on-failure:3", 1, "waiting", "exited"),
        ("always", 0, "waiting", "exited"),
        ("unless-stopped", 1, "waiting", "exited"),
    ],
)
def test_an_ended_container_is_judged_by_exit_and_policy(
    world: World, restart: str, exit_code: int, verdict: str, status: str
) -> None:
    text = PLAIN.replace("image: i", f"image: i, restart: '{restart}'")
    found = watch(world, text, {"Status": "exited", "ExitCode": exit_code}, timeout=0.02)
    assert (found.verdict, found.status) == (verdict, status)


def test_retries_that_are_used_up_are_a_failure(world: World) -> None:
    text = PLAIN.replace("image: i", "image: i, restart: 'on-failure:2'")
    found = watch(world, text, {"Status": "exited", "ExitCode": 1, "RestartCount": 2}, timeout=30)
    assert found.verdict == "failed"


def test_without_a_healthcheck_a_moment_of_life_is_enough(world: World) -> None:
    found = watch(
        world, PLAIN, {**RUNNING, "StartedAt": JUST_NOW}, {**RUNNING, "StartedAt": LONG_AGO}, timeout=30
    )
    assert (found.verdict, found.status) == ("ready", "running")
    assert watch(world, PLAIN, {**RUNNING, "StartedAt": JUST_NOW}, timeout=0.02).verdict == "waiting"


@pytest.mark.parametrize(("year", "verdict"), [(2026, "ready"), (2019, "waiting")])
def test_age_is_counted_by_the_engines_own_clock(world: World, year: int, verdict: str) -> None:
    """LONG_AGO is 2020: to an engine that lives in 2019 that is no age at all, whatever our clock says."""
    world.engine.time = datetime(year, 12, 31, tzinfo=UTC)
    assert watch(world, PLAIN, {**RUNNING, "StartedAt": LONG_AGO}, timeout=0.02).verdict == verdict


def test_where_the_engines_clock_is_set_back_a_moment_of_seen_life_is_enough(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "SETTLED_SECONDS", 0.02)
    assert watch(world, PLAIN, {**RUNNING, "StartedAt": JUST_NOW}, timeout=30).verdict == "ready"


@pytest.mark.parametrize(
    ("states", "verdict"),
    [(("Ss", "S"), "ready"), (("Ss", "R"), "waiting"), (("D",), "waiting"), ((), "waiting")],
)
def test_a_young_process_is_ready_once_all_of_it_sleeps(
    world: World, monkeypatch: pytest.MonkeyPatch, states: tuple[str, ...], verdict: str
) -> None:
    monkeypatch.setattr(readiness, "QUIET_SECONDS", 0)
    world.engine.states = states
    assert watch(world, PLAIN, {**RUNNING, "StartedAt": JUST_NOW}, timeout=0.02).verdict == verdict


def test_seen_life_starts_anew_with_each_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SETTLED_SECONDS", 0.2)
    lives = [{**RUNNING, "StartedAt": JUST_NOW.replace("2999", str(3000 + life))} for life in range(900)]
    assert watch(world, PLAIN, *lives, timeout=0.4).verdict == "waiting"


def test_one_deadline_bounds_all_waits_and_starts_with_the_first() -> None:
    deadline = Deadline(0.05)
    Event().wait(0.06)
    assert deadline.left() > 0.04
    Event().wait(0.06)
    assert deadline.left() == 0


def test_the_engines_unhealthy_is_the_last_word_where_it_is_asked_for(world: World) -> None:
    answers(world, ExecResult(1, "bad"))
    world.file(CHECKED)
    world.up()
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    world.engine.script("p-a-1", STARTING, SICK)
    wanted = Wanted(give_up_unhealthy=True)
    (found,) = wait_ready(world.engine, containers, timeout=30, watch=Silence(), wanted=wanted)  # type: ignore[arg-type] - as above
    assert (found.verdict, found.status) == ("failed", "unhealthy")


def test_a_disabled_healthcheck_is_none(world: World) -> None:
    seen = answers(world, ExecResult(1, ""))
    text = "services: {a: {image: i, healthcheck: {disable: true}}}"
    assert watch(world, text, RUNNING).status == "running"
    assert seen == []


def test_until_completed_a_running_container_is_not_done(world: World) -> None:
    found = watch(world, PLAIN, RUNNING, RUNNING, {"Status": "exited"}, until="completed", timeout=30)
    assert (found.verdict, found.status) == ("ready", "completed")
    assert watch(world, CHECKED, HEALTHY, until="completed", timeout=0.02).verdict == "waiting"


def test_a_container_that_is_removed_underneath_has_failed(world: World) -> None:
    found = watch(world, PLAIN, {"Status": "created"}, {"Gone": True}, timeout=30)
    assert (found.verdict, found.status) == ("failed", "removed")


def test_a_failed_one_does_not_end_the_wait_for_the_others(world: World) -> None:
    world.file("services: {a: {image: i}, b: {image: i}}")
    world.up()
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    world.engine.script("p-a-1", {"Status": "exited", "ExitCode": 1})
    world.engine.script("p-b-1", {**RUNNING, "StartedAt": JUST_NOW}, {**RUNNING, "StartedAt": LONG_AGO})
    found = wait_ready(world.engine, containers, timeout=30, watch=Silence())  # type: ignore[arg-type] - as above
    assert sorted(item.verdict for item in found) == ["failed", "ready"]


def test_a_cancelled_wait_ends_at_once(world: World) -> None:
    cancelled = Event()
    world.file(PLAIN)
    world.up()
    world.engine.script("p-a-1", {**RUNNING, "StartedAt": JUST_NOW})
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    Timer(0.05, cancelled.set).start()
    (found,) = wait_ready(
        world.engine,  # type: ignore[arg-type] - as above
        containers,
        timeout=300,
        watch=Silence(),
        cancelled=cancelled,
    )
    assert found.verdict == "waiting"


def test_nothing_to_wait_for_is_ready(world: World) -> None:
    assert wait_ready(world.engine, (), timeout=1, watch=Silence()) == ()  # type: ignore[arg-type] - stands in


def test_every_look_is_told_to_the_watcher(world: World) -> None:
    world.file(PLAIN)
    world.up()
    world.engine.script("p-a-1", {"Status": "created"}, RUNNING)
    heard = Silence()
    world.engine.find_container("p-a-1")
    containers = observe_containers(world.engine, "p")  # type: ignore[arg-type] - stands in for the engine
    world.engine.script("p-a-1", {"Status": "created"}, RUNNING)
    wait_ready(world.engine, containers, timeout=30, watch=heard)  # type: ignore[arg-type] - as above
    assert heard.heard == ["a created", "a running"]


def checked(world: World, **config: Any) -> Container:
    world.file(PLAIN)
    world.up()
    world.engine._raw("p-a-1")["Config"].update(config)
    return world.engine.container("p-a-1")


@pytest.mark.parametrize(
    ("config", "command"),
    [
        ({}, None),
        ({"Healthcheck": None}, None),
        ({"Healthcheck": {"Test": []}}, None),
        ({"Healthcheck": {"Test": ["NONE"]}}, None),
        ({"Healthcheck": {"Test": ["CMD", "a", "b"]}}, ("a", "b")),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "a || b"]}}, ("/bin/sh", "-c", "a || b")),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "a"]}, "Shell": ["/bin/bash", "-ec"]},
            ("/bin/bash", "-ec", "a"),
        ),
    ],
)
def test_the_probe_is_the_containers_own_command(
    world: World, config: dict[str, Any], command: tuple[str, ...] | None
) -> None:
    assert probe_command(checked(world, **config)) == command


@pytest.mark.parametrize(
    ("check", "seconds"), [({}, 30.0), ({"Timeout": 2_500_000_000}, 2.5), ({"Timeout": 0}, 30.0)]
)
def test_the_probes_limit_is_the_healthchecks_own(
    world: World, check: dict[str, int], seconds: float
) -> None:
    assert probe_timeout(checked(world, Healthcheck={"Test": ["CMD", "x"], **check})) == seconds
