"""Random small projects, changed at random and interrupted anywhere: the next `up` always arrives."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mcpctl.engine.types import ExecResult
from tests.unit.mcpctl.stack.test_converge import die_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.unit.mcpctl.stack.world import World

WORLDS = 15
CONDITIONS = ("service_started", "service_healthy")


def draw(chance: random.Random) -> dict[str, Any]:
    """Return a project: services that depend on earlier ones, share their networks, and use a config."""
    names = ["a", "b", "c", "d"][: chance.randint(1, 4)]
    services = {name: _service(chance, names[:at]) for at, name in enumerate(names)}
    return {
        "services": services,
        "volumes": {"data": {}},
        "configs": {"file": {"file": "./file"}, "text": {"content": chance.choice(("one", "two"))}},
    }


def _service(chance: random.Random, earlier: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"image": chance.choice(("i:1", "i:2")), "healthcheck": {"test": ["CMD", "probe"]}}
    if chance.random() < 0.5:
        made["environment"] = {"V": chance.choice("123")}
    if chance.random() < 0.3:
        made["volumes"] = ["data:/data", "/scratch"]
    if chance.random() < 0.4:
        made["configs"] = chance.sample(("file", "text"), chance.randint(1, 2))
    if earlier and chance.random() < 0.2:
        made["network_mode"] = f"service:{chance.choice(earlier)}"
    elif chance.random() < 0.4:
        made["scale"] = chance.randint(0, 3)
    made["depends_on"] = {
        name: {
            "condition": chance.choice(CONDITIONS),
            "restart": chance.random() < 0.3,
            "required": chance.random() < 0.6,
        }
        for name in earlier
        if chance.random() < 0.5
    }
    return made


def sensible(project: dict[str, Any]) -> dict[str, Any]:
    """Give every service whose network is shared one container: without it the file asks the impossible."""
    for service in project["services"].values():
        owner = service.get("network_mode", "").removeprefix("service:")
        if owner:
            project["services"][owner].pop("scale", None)
    return project


def wanted(world: World) -> Counter[tuple[str, str]]:
    services = world.project.services.values()
    return Counter({(item.name, "running"): item.scale for item in services if item.scale})


def found(world: World) -> Counter[tuple[str, str]]:
    """Count containers by service and state, those under a passing name by that name."""
    names = world.engine.names().items()
    return Counter((name.removeprefix("p-").rpartition("-")[0], state) for name, state in names)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_before_up_arrives_and_then_has_nothing_to_do(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - worlds to repeat, no secret
    for _ in range(WORLDS):
        (world.folder / "file").write_text(chance.choice("xyz"))
        world.file(yaml.safe_dump(sensible(draw(chance))))
        plan = world.plan(remove_orphans=True)
        die_after(world, plan, chance.randint(0, len(plan)), chance.random())
        if chance.random() < 0.5:  # another change before the next run
            (world.folder / "file").write_text(chance.choice("xyz"))
            world.file(yaml.safe_dump(sensible(draw(chance))))
        if chance.random() < 0.2:
            world.engine.add_image("i:1", f"sha256:{chance.randint(1000, 9999)}")
        world.up(remove_orphans=True)
        assert found(world) == wanted(world), world.text
        assert world.lines(remove_orphans=True) == [], world.text


@pytest.mark.parametrize("seed", range(3))
def test_optional_dependencies_that_are_sick_keep_no_service_back(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - worlds to repeat, no secret
    (world.folder / "file").write_text("x")
    for _ in range(WORLDS // 3):
        project = sensible(draw(chance))
        for service in project["services"].values():
            for edge in service["depends_on"].values():
                edge["required"] = False
        world.file(yaml.safe_dump(project))
        sick = {f"p-{name}-1" for name in project["services"] if chance.random() < 0.5}
        world.engine.probe = _probe(world, sick)
        world.up(remove_orphans=True, wait_timeout=0.02)
        assert found(world) == wanted(world), world.text
        assert world.lines(remove_orphans=True) == [], world.text


def _probe(world: World, sick: set[str]) -> Any:
    def answer(container: str, _argv: Sequence[str]) -> ExecResult:
        return ExecResult(1 if world.engine.container(container).name in sick else 0, "")

    return answer
