"""Plans of `up` as text, from the states that a death between two calls leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.compose import labels
from tests.unit.mcpctl.stack.world import TWO, before

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

BETWEEN = "services: {a: {image: i, networks: [one, two]}}\nnetworks: {one: {}, two: {}}"
RESTARTS = TWO.replace("{condition: service_healthy}", "{condition: service_healthy, restart: true}")


def test_a_container_that_was_not_connected_to_all_its_networks_is_made_anew(world: World) -> None:
    world.file(BETWEEN)
    world.up()
    world.engine._raw("p-a-1")["NetworkSettings"]["Networks"].pop("p_two")
    assert world.lines()[0] == "create container p-a-1: networks.two: it is not connected"
    world.up()
    assert world.lines() == []


def test_a_container_that_was_created_waits_for_a_network_that_is_gone_since(world: World) -> None:
    world.file("services: {a: {image: i}}")
    world.run(world.plan()[:2])
    assert world.engine.names() == {"p-a-1": "created"}
    network = world.engine.find_network("p_default")
    assert network
    del world.engine._networks["p_default"]
    plan = world.plan()
    assert [str(step) for step in plan] == [
        "create network p_default: it does not exist",
        "start container p-a-1: it is created",
    ]
    assert before(plan, "network:default", "start:p-a-1")


def recreated(world: World, created: str) -> None:
    """Let the backend be one that replaced another at a time."""
    world.file(RESTARTS)
    world.up()
    raw = world.engine._raw("p-backend-1")
    raw["Created"] = created
    raw["Config"]["Labels"][labels.REPLACE] = "backend-1"


def test_a_restart_that_was_interrupted_is_made_up_for(world: World) -> None:
    recreated(world, "2026-01-01T00:00:00.5Z")
    why = "backend is recreated and depends_on.backend.restart is true"
    assert [line for line in world.lines() if "container p-frontend" in line] == [
        f"stop container p-frontend-1: {why}",
        f"start container p-frontend-1: {why}",
    ]
    world.engine.set_state("p-frontend-1", StartedAt="2026-01-01T00:00:00.50001Z")
    assert world.lines() == []


def test_a_replica_that_was_added_restarts_nobody(world: World) -> None:
    recreated(world, "2026-01-01T00:00:00.5Z")
    del world.engine._raw("p-backend-1")["Config"]["Labels"][labels.REPLACE]
    assert world.lines() == []
