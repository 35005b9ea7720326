"""Plans of `down` as text: dependents first, data last and only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.errors import PartlyDone
from mcpctl.stack.down import DownRequest, down
from mcpctl.stack.observe import observe_for_down
from mcpctl.stack.plan_down import DownChoice, networks_in_use
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

STACK = """
    services:
      db: {image: d, volumes: ["data:/data", "/scratch"]}
      api: {image: a, depends_on: [db], build: .}
      web: {image: w, depends_on: [api]}
    volumes: {data: {}, foreign: {external: true}}
"""


@pytest.fixture
def stack(world: World) -> World:
    world.file(STACK)
    world.up()
    return world


def test_dependents_stop_first_then_all_go_and_volumes_stay(stack: World) -> None:
    lines = stack.down_lines()
    expected = [
        f"{action} container p-{name}-1: the stack goes down"
        for action in ("stop", "remove")
        for name in ("db", "api", "web")
    ]
    assert sorted(lines) == sorted([*expected, "remove network p_default: the stack goes down"])
    calls = stack.run(stack.down_plan())
    stops = [call for call in calls if call.startswith("stop")]
    assert stops == ["stop p-web-1", "stop p-api-1", "stop p-db-1"]
    assert calls[-1] == "remove network p_default"
    assert "p_data" in stack.engine._volumes


def test_down_of_nothing_has_nothing_to_do(world: World) -> None:
    world.file(STACK)
    assert world.down_lines(volumes=True) == []


def test_volumes_go_when_asked_for_anonymous_ones_too_and_the_plan_says_what_is_lost(stack: World) -> None:
    scratch = stack.engine.container("p-db-1").volumes["/scratch"]
    named = [line for line in stack.down_lines(volumes=True) if line.startswith("remove volume")]
    assert named == [
        "remove volume p_data: --volumes: its data is lost",
        f"remove volume {scratch}: --volumes: it is anonymous and its container goes",
    ]
    calls = stack.run(stack.down_plan(volumes=True))
    assert min(calls.index("remove volume p_data"), calls.index(f"remove volume {scratch}")) > max(
        calls.index(f"remove p-{name}-1") for name in ("db", "api", "web")
    )


def test_a_volume_of_the_same_name_that_is_not_ours_stays(stack: World) -> None:
    volume = stack.engine._volumes["p_data"]
    stack.engine._volumes["p_data"] = type(volume)("p_data", "local", {})
    assert not any("p_data" in line for line in stack.down_lines(volumes=True))


def test_an_orphan_keeps_its_network_and_goes_only_when_asked_for(stack: World) -> None:
    stack.file(STACK.replace("      web: {image: w, depends_on: [api]}\n", ""))
    lines = stack.down_lines()
    assert not any("p-web-1" in line or "network" in line for line in lines)
    lines = stack.down_lines(remove_orphans=True)
    assert "remove container p-web-1: the stack goes down" in lines
    assert "remove network p_default: the stack goes down" in lines


def test_a_one_off_container_goes_too(stack: World) -> None:
    raw = stack.engine._raw("p-web-1")
    raw["Config"]["Labels"][labels.ONEOFF] = "True"
    assert "remove container p-web-1: the stack goes down" in stack.down_lines()


@pytest.mark.parametrize(("which", "gone"), [("local", []), ("all", ["a", "d", "w"])])
def test_images_go_by_choice(stack: World, which: str, gone: list[str]) -> None:
    lines = [line for line in stack.down_lines(images=which) if "image" in line]
    assert lines == [f"remove image {name}: --rmi {which}" for name in gone]


def test_an_image_without_a_name_in_the_file_is_a_local_one(world: World) -> None:
    world.file("services: {api: {build: .}}")
    assert world.down_lines(images="local") == ["remove image p-api: --rmi local"]


def test_the_grace_given_goes_to_every_stop(stack: World) -> None:
    calls = stack.run(stack.down_plan(), stop_timeout=3)
    assert [call for call in calls if call.startswith("stop")] == [
        "stop p-web-1 within 3",
        "stop p-api-1 within 3",
        "stop p-db-1 within 3",
    ]


def test_a_network_on_which_a_container_of_somebody_else_runs_stays(stack: World) -> None:
    stack.engine.create_container(
        "foreign",
        {"Image": "d", "HostConfig": {}, "NetworkingConfig": {"EndpointsConfig": {"p_default": {}}}},
    )
    assert "remove network p_default: the stack goes down" in stack.down_lines(), "it does not run"
    stack.engine.start("foreign")
    observed = observe_for_down(stack.engine, stack.project)  # type: ignore[arg-type] - stands in
    assert networks_in_use(stack.project, observed) == {"p_default": ("foreign",)}
    assert not any(line.startswith("remove network") for line in stack.down_lines())


def test_a_volume_that_a_container_of_somebody_else_uses_stays(stack: World) -> None:
    mount = {"Type": "volume", "Source": "p_data", "Target": "/x"}
    stack.engine.create_container("foreign", {"Image": "d", "HostConfig": {"Mounts": [mount]}})
    assert "remove volume p_data: --volumes: its data is lost" not in stack.down_lines(volumes=True)
    with pytest.raises(PartlyDone, match="volume p_data is used by foreign; everything else is removed"):
        down(stack.engine, stack.project, DownRequest(DownChoice(volumes=True)), Silence())  # type: ignore[arg-type] - stands in
    assert stack.engine.names() == {"foreign": "created"}
    assert "p_data" in stack.engine._volumes


def test_a_volume_of_an_orphan_that_stays_stays_with_it(stack: World) -> None:
    stack.file(STACK.replace('db: {image: d, volumes: ["data:/data", "/scratch"]}', "db: {image: d}"))
    (stack.folder / "compose.yaml").write_text("services: {web: {image: w}}")
    assert "p_data" not in " ".join(stack.down_lines(volumes=True))
    assert "p_data" in " ".join(stack.down_lines(volumes=True, remove_orphans=True))
