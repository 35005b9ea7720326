"""A run that dies anywhere leaves nothing that the next run cannot put right."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from mcpctl.errors import EngineFailed
from mcpctl.stack.apply import Applier
from mcpctl.stack.observe import observe
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from mcpctl.stack.steps import Plan, Step
    from tests.unit.mcpctl.stack.world import World

BEFORE = """
    services:
      db: {image: i, volumes: ["data:/d", "/scratch"], environment: {V: '1'}, healthcheck: {test: [CMD, x]}}
      api: {image: i, scale: 2, environment: {V: '1'}, depends_on: {db: {condition: service_healthy}}}
      side: {image: i, network_mode: 'service:db'}
      web: {image: i, depends_on: {api: {condition: service_started, restart: true}}}
    volumes: {data: {}}
"""
AFTER = BEFORE.replace("'1'", "'2'").replace("scale: 2", "scale: 3")
DONE = {
    "p-db-1": "running",
    "p-api-1": "running",
    "p-api-2": "running",
    "p-api-3": "running",
    "p-side-1": "running",
    "p-web-1": "running",
}


def die_after(world: World, plan: Plan, steps: int, seed: float) -> None:
    """Run ``steps`` steps of a plan in a random order that it allows, and no more."""
    chance = random.Random(seed)  # noqa: S311 - an order to repeat, no secret
    applier = Applier(
        world.engine,  # type: ignore[arg-type] - stands in for the engine
        world.project,
        observe(world.engine, world.project, oneoffs=True),  # type: ignore[arg-type] - as above
        Silence(),
        wait_timeout=5,
    )
    left: list[Step] = list(plan)
    done: set[str] = set()
    for _ in range(steps):
        step = chance.choice([item for item in left if done.issuperset(item.needs)])
        applier.perform(step)
        left.remove(step)
        done.add(step.id)


@pytest.mark.parametrize("seed", range(4))
def test_up_after_a_death_at_any_step_of_an_update_converges(world: World, seed: int) -> None:
    world.file(BEFORE)
    world.up()
    world.file(AFTER)
    scratch = world.engine.container("p-db-1").volumes["/scratch"]
    for steps in range(len(world.plan()) + 1):
        world.file(BEFORE)
        world.up()
        assert world.lines() == []
        world.file(AFTER)
        die_after(world, world.plan(), steps, seed * 1000 + steps)
        world.up()
        assert world.engine.names() == DONE
        assert world.lines() == []
        assert world.engine.container("p-db-1").volumes == {"/d": "p_data", "/scratch": scratch}
        assert "remove volume p_data" not in world.engine.calls


@pytest.mark.parametrize("seed", range(2))
def test_up_after_a_death_at_any_step_of_a_first_start_converges(world: World, seed: int) -> None:
    world.file(AFTER)
    for steps in range(len(world.plan()) + 1):
        plan = world.plan()
        die_after(world, plan, min(steps, len(plan)), seed * 1000 + steps)
        world.up()
        assert world.engine.names() == DONE
        world.run(world.down_plan())
        assert world.engine.names() == {}


@pytest.mark.parametrize("seed", range(2))
def test_down_after_a_death_at_any_step_of_anything_leaves_only_the_data(world: World, seed: int) -> None:
    world.file(BEFORE)
    world.up()
    world.file(AFTER)
    for steps in range(len(world.plan()) + 1):
        world.file(BEFORE)
        world.up()
        world.file(AFTER)
        die_after(world, world.plan(), steps, seed * 1000 + steps)
        whole = world.down_plan()
        die_after(world, whole, chance_of(whole, steps), seed)
        world.run(world.down_plan())
        assert world.engine.names() == {}
        assert world.engine.networks(["com.docker.compose.project=p"]) == ()
        assert "p_data" in world.engine._volumes


def chance_of(plan: Plan, seed: int) -> int:
    return random.Random(seed).randint(0, len(plan))  # noqa: S311 - a number to repeat, no secret


def test_a_creation_that_the_engine_refuses_leaves_the_old_container_running(world: World) -> None:
    world.file(BEFORE)
    world.up()
    world.file(AFTER)
    old = world.engine.container("p-db-1").id
    name = f"{old[:12]}_p-db-1"
    world.engine.faults[f"create {name}"] = EngineFailed("no space left on device")
    with pytest.raises(EngineFailed, match="no space"):
        world.up()
    assert world.engine.names()["p-db-1"] == "running"
    assert world.engine.container("p-db-1").id == old
    world.engine.faults.clear()
    world.up()
    assert world.engine.names() == DONE
