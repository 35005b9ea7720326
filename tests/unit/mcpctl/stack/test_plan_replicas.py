"""Plans of `up` as text: replicas, orphans, and what an interrupted recreate left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.mcpctl.stack.world import TWO, before

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

SCALED = """
    services:
      a:
        image: i
        scale: 3
"""


def test_scaling_down_removes_the_highest_numbers(world: World) -> None:
    world.file(SCALED)
    world.up()
    assert world.lines(scale={"a": 1}) == [
        "stop container p-a-2: a is scaled to 1",
        "remove container p-a-2: a is scaled to 1",
        "stop container p-a-3: a is scaled to 1",
        "remove container p-a-3: a is scaled to 1",
    ]


def test_scaling_up_fills_the_gaps(world: World) -> None:
    world.file(SCALED)
    world.up()
    world.engine.remove_container("p-a-2", force=True)
    assert world.lines(scale={"a": 4})[::2] == [
        "create container p-a-2: it does not exist",
        "create container p-a-4: it does not exist",
    ]


def test_scaling_down_keeps_what_matches_the_file(world: World) -> None:
    world.file(SCALED)
    world.up()
    world.engine._raw("p-a-1")["Config"]["Labels"]["com.docker.compose.config-hash"] = "old"
    assert world.lines(scale={"a": 2}) == [
        "stop container p-a-1: a is scaled to 2",
        "remove container p-a-1: a is scaled to 2",
    ]


def test_scaled_to_nothing_all_go(world: World) -> None:
    world.file(SCALED)
    world.up()
    assert len(world.lines(scale={"a": 0})) == 6


def test_orphans_stay_unless_asked_for(world: World) -> None:
    world.file("services: {a: {image: i}, b: {image: i}}")
    world.up()
    world.file("services: {a: {image: i}}")
    assert world.lines() == []
    assert world.lines(remove_orphans=True) == [
        "stop container p-b-1: its service is no longer in the files",
        "remove container p-b-1: its service is no longer in the files",
    ]


def test_a_service_of_a_profile_that_is_off_is_no_orphan(world: World) -> None:
    world.file("services: {a: {image: i}, b: {image: i}}")
    world.up()
    world.file("services: {a: {image: i}, b: {image: i, profiles: [extra]}}")
    assert world.lines(remove_orphans=True) == []


def strand(world: World) -> tuple[str, str]:
    """Leave a recreate of the backend after its creation; return the old id and the new name."""
    world.file(TWO)
    world.up()
    world.file(TWO.replace("info", "debug"))
    plan = world.plan()
    world.run(plan[:1])
    old = world.engine.container("p-backend-1").id
    return old, f"{old[:12]}_p-backend-1"


def test_a_stranded_container_goes_while_its_old_one_is_there_and_first(world: World) -> None:
    old, name = strand(world)
    stranded = world.engine.container(name).id
    assert world.lines()[:3] == [
        f"stop container {name}: an interrupted recreate left it behind",
        f"remove container {name}: an interrupted recreate left it behind",
        "create container p-backend-1: environment.LEVEL: info -> debug",
    ]
    assert before(world.plan(), f"remove:{stranded}", "create:p-backend-1")
    world.up()
    assert world.engine.names() == {"p-backend-1": "running", "p-frontend-1": "running"}
    assert world.engine.find_container(old) is None
    assert world.lines() == []


def test_a_stranded_container_takes_its_name_where_the_old_one_is_gone(world: World) -> None:
    _old, name = strand(world)
    world.engine.remove_container("p-backend-1", force=True)
    assert world.lines() == [
        "rename container p-backend-1: an interrupted recreate left it under another name",
        "start container p-backend-1: it is created",
    ]
    assert name in world.engine.names()
    world.up()
    assert world.engine.names() == {"p-backend-1": "running", "p-frontend-1": "running"}


def test_a_stranded_container_of_an_older_file_hands_its_volumes_on(world: World) -> None:
    text = TWO.replace('["data:/data"]', '["data:/data", "/scratch"]')
    world.file(text)
    world.up()
    scratch = world.engine.container("p-backend-1").volumes["/scratch"]
    world.file(text.replace("info", "debug"))
    world.run(world.plan()[:1])
    old = world.engine.container("p-backend-1").id
    world.engine.remove_container(old, force=True)
    stranded = world.engine.container(f"{old[:12]}_p-backend-1")
    world.file(text.replace("info", "warning"))
    create, *rest = world.lines()
    assert create.startswith("create container p-backend-1: environment.LEVEL: debug -> warning")
    assert rest[:2] == [
        f"stop container {stranded.name}: it is replaced",
        f"remove container {stranded.name}: it is replaced",
    ]
    world.up()
    assert world.engine.names() == {"p-backend-1": "running", "p-frontend-1": "running"}
    assert world.engine.container("p-backend-1").volumes["/scratch"] == scratch
    assert world.lines() == []


def test_of_two_stranded_ones_the_later_goes_and_the_earlier_is_replaced(world: World) -> None:
    _old, name = strand(world)
    world.engine.remove_container("p-backend-1", force=True)
    first = world.engine.container(name)
    world.file(TWO.replace("info", "warning"))
    world.run(world.plan()[:1])
    assert set(world.engine.names()) == {name, f"{first.id[:12]}_p-backend-1", "p-frontend-1"}
    world.up()
    assert world.engine.names() == {"p-backend-1": "running", "p-frontend-1": "running"}
    assert world.lines() == []


def test_a_stranded_container_of_a_service_scaled_to_nothing_goes(world: World) -> None:
    _old, name = strand(world)
    world.engine.remove_container("p-backend-1", force=True)
    assert all("rename" not in line for line in world.lines(scale={"backend": 0}))
    world.up(scale={"backend": 0})
    assert name not in world.engine.names()
