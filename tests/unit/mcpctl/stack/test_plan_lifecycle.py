"""Plans of `start`, `stop` and `restart` as text: the order of depends_on, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.errors import NotFound
from mcpctl.stack.observe import observe
from mcpctl.stack.plan_lifecycle import LifecycleChoice, plan_restart, plan_start, plan_stop
from tests.unit.mcpctl.stack.world import before

if TYPE_CHECKING:
    from mcpctl.stack.steps import Plan
    from tests.unit.mcpctl.stack.world import World

STACK = """
    services:
      db: {image: d, healthcheck: {test: [CMD, "true"]}}
      api: {image: a, depends_on: {db: {condition: service_healthy}}}
      web: {image: w, depends_on: {api: {condition: service_started, restart: true}}}
      log: {image: l}
"""
PLANNERS = {"start": plan_start, "stop": plan_stop, "restart": plan_restart}
ALL = ("api", "db", "log", "web")


@pytest.fixture
def stack(world: World) -> World:
    world.file(STACK)
    world.up()
    return world


def plan(world: World, verb: str, *services: str, **choice: Any) -> Plan:
    observed = observe(world.engine, world.project)  # type: ignore[arg-type] - stands in
    return PLANNERS[verb](world.project, observed, LifecycleChoice(services, **choice))


def lines(world: World, verb: str, *services: str, **choice: Any) -> list[str]:
    return [str(step) for step in plan(world, verb, *services, **choice)]


def calls(world: World, verb: str, *services: str, **choice: Any) -> list[str]:
    return world.run(plan(world, verb, *services, **choice))


def halt(world: World, *services: str) -> None:
    for name in services or ALL:
        world.engine.stop(f"p-{name}-1")


def test_stop_stops_dependents_first(stack: World) -> None:
    done = calls(stack, "stop")
    assert sorted(done) == [f"stop p-{name}-1" for name in ALL]
    assert [call for call in done if "log" not in call] == ["stop p-web-1", "stop p-api-1", "stop p-db-1"]


def test_the_order_holds_across_a_service_that_is_stopped_already(stack: World) -> None:
    halt(stack, "api")
    steps = {step.target: step for step in plan(stack, "stop")}
    assert "p-api-1" not in steps
    assert steps["p-db-1"].needs == (steps["p-web-1"].id,)


def test_stop_of_one_service_leaves_the_others_alone(stack: World) -> None:
    assert lines(stack, "stop", "db") == ["stop container p-db-1: it is to be stopped"]


def test_stop_of_a_stopped_stack_has_nothing_to_do(stack: World) -> None:
    halt(stack)
    assert lines(stack, "stop") == []


def test_stop_reaches_services_of_other_profiles_but_not_orphans(stack: World) -> None:
    stack.file(
        STACK.replace("log: {image: l}", "log: {image: l, profiles: [x]}").replace(
            "web: {image: w, depends_on: {api: {condition: service_started, restart: true}}}", ""
        )
    )
    assert sorted(step.target for step in plan(stack, "stop")) == ["p-api-1", "p-db-1", "p-log-1"]
    assert lines(stack, "stop", "log") == ["stop container p-log-1: it is to be stopped"]
    with pytest.raises(NotFound, match="no service 'web'"):
        plan(stack, "stop", "web")


def test_start_starts_dependencies_first_and_awaits_their_conditions(stack: World) -> None:
    halt(stack)
    assert lines(stack, "start") == [
        "start container p-db-1: it is exited",
        "start container p-log-1: it is exited",
        "await healthy db: api depends on it",
        "start container p-api-1: it is exited",
        "start container p-web-1: it is exited",
    ]
    steps = plan(stack, "start")
    names = {step.target: step.id for step in steps}
    assert before(steps, names["p-db-1"], "await healthy:db")
    assert before(steps, "await healthy:db", names["p-api-1"])
    assert before(steps, names["p-api-1"], names["p-web-1"])


def test_start_of_one_service_starts_what_it_needs_and_no_more(stack: World) -> None:
    halt(stack)
    assert calls(stack, "start", "api") == ["start p-db-1", "start p-api-1"]
    assert lines(stack, "start", "api") == []


def test_start_waits_for_a_dependency_that_runs_already(stack: World) -> None:
    halt(stack, "api")
    assert lines(stack, "start", "api") == [
        "await healthy db: api depends on it",
        "start container p-api-1: it is exited",
    ]


def test_start_lets_a_paused_container_run_on_before_its_dependents_start(stack: World) -> None:
    stack.engine.set_state("p-api-1", Status="paused")
    halt(stack, "web")
    assert calls(stack, "start") == ["unpause p-api-1", "start p-web-1"]


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_service_without_a_container_is_refused_with_the_command_that_makes_one(
    stack: World, verb: str
) -> None:
    stack.engine.remove_container("p-db-1", force=True)
    with pytest.raises(NotFound, match=f"service db has no container to {verb}") as caught:
        plan(stack, verb, "db")
    assert caught.value.hint == "mcpctl up db"


def test_start_refuses_when_a_dependency_has_no_container(stack: World) -> None:
    halt(stack)
    stack.engine.remove_container("p-db-1")
    with pytest.raises(NotFound, match="service db has no container to start"):
        plan(stack, "start", "api")


def test_start_does_without_what_is_not_required(stack: World) -> None:
    stack.file(STACK.replace("condition: service_healthy", "condition: service_healthy, required: false"))
    halt(stack, "api")
    stack.engine.remove_container("p-db-1", force=True)
    assert lines(stack, "start", "api") == ["start container p-api-1: it is exited"]


def test_start_of_everything_starts_what_is_there(stack: World) -> None:
    halt(stack)
    stack.engine.remove_container("p-log-1")
    assert [step.target for step in plan(stack, "start")] == ["p-db-1", "db", "p-api-1", "p-web-1"]


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_project_without_containers_is_refused(world: World, verb: str) -> None:
    world.file(STACK)
    with pytest.raises(NotFound, match=f"project p has no container to {verb}") as caught:
        plan(world, verb)
    assert caught.value.hint == "mcpctl up"
    assert lines(world, "stop") == []


def test_a_service_that_is_scaled_to_nothing_is_no_fault(stack: World) -> None:
    stack.file(STACK.replace("log: {image: l}", "log: {image: l, scale: 0}"))
    stack.engine.remove_container("p-log-1", force=True)
    assert lines(stack, "start", "log") == []


def test_restart_stops_dependents_first_and_starts_them_last(stack: World) -> None:
    done = [call for call in calls(stack, "restart") if "log" not in call]
    assert done == [
        *("stop p-web-1", "stop p-api-1", "stop p-db-1"),
        *("start p-db-1", "start p-api-1", "start p-web-1"),
    ]


def test_restart_takes_along_those_that_depend_on_it_with_restart_true(stack: World) -> None:
    assert lines(stack, "restart", "api") == [
        "stop container p-web-1: it is restarted",
        "stop container p-api-1: it is restarted",
        "start container p-api-1: it is restarted",
        "start container p-web-1: api is restarted and depends_on.api.restart is true",
    ]
    assert {step.target for step in plan(stack, "restart", "api", no_deps=True)} == {"p-api-1"}
    assert {step.target for step in plan(stack, "restart", "db")} == {"p-db-1"}


def test_restart_starts_what_is_stopped(stack: World) -> None:
    halt(stack, "log")
    assert lines(stack, "restart", "log") == ["start container p-log-1: it is exited"]


def test_restart_of_a_paused_container_stops_and_starts_it(stack: World) -> None:
    stack.engine.set_state("p-log-1", Status="paused")
    assert calls(stack, "restart", "log") == ["stop p-log-1", "start p-log-1"]


def test_every_replica_is_worked_on(stack: World) -> None:
    stack.up(scale={"log": 2})
    assert sorted(calls(stack, "stop", "log")) == ["stop p-log-1", "stop p-log-2"]
    assert sorted(calls(stack, "start", "log")) == ["start p-log-1", "start p-log-2"]
