"""Plans of `clean` as text: what goes, what stays because somebody uses it, whose images are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.engine.types import Image
from mcpctl.errors import EngineFailed, EngineUnreachable, NotFound
from mcpctl.stack.clean import CleanResult, clean, prepare_clean
from mcpctl.stack.plan_clean import CleanChoice, CleanPlan, own_names
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from mcpctl.stack.plan_clean import Scope
    from tests.unit.mcpctl.stack.world import World

STACK = """
    services:
      db: {image: 'd:1', volumes: ["data:/data", "/scratch"]}
      api: {build: ., depends_on: [db], networks: [default, inner]}
    volumes: {data: {}, foreign: {external: true}}
    networks: {inner: {}}
"""
OURS = {labels.PROJECT: "p", labels.SERVICE: "api"}
API = Image("sha256:aaaaaaaaaaaaaaaa", ("p-api:latest",), OURS, 1)
OLD = Image("sha256:bbbbbbbbbbbbbbbb", (), OURS, 1)


@pytest.fixture
def stack(world: World) -> World:
    world.file(STACK)
    world.engine._images["p-api"] = API
    world.engine.add_built(API)
    world.engine.add_built(OLD)
    world.up()
    return world


def planned(world: World, scope: Scope = "leftovers", *, volumes: bool = False) -> CleanPlan:
    choice = CleanChoice(scope, volumes=volumes)
    return prepare_clean(world.engine, world.project, choice).plan  # type: ignore[arg-type] - stands in


def lines(world: World, scope: Scope = "leftovers", *, volumes: bool = False) -> list[str]:
    return [str(step) for step in planned(world, scope, volumes=volumes).steps]


def cleaned(world: World, scope: Scope, *, volumes: bool = False) -> CleanResult:
    choice = CleanChoice(scope, volumes=volumes)
    world.engine.calls.clear()
    engine = world.engine
    work = prepare_clean(engine, world.project, choice)  # type: ignore[arg-type] - stands in
    return clean(engine, world.project, work, Silence())  # type: ignore[arg-type] - stands in


def test_of_a_running_stack_only_replaced_builds_go(stack: World) -> None:
    assert lines(stack) == ["remove image bbbbbbbbbbbb: built for api, and replaced by a newer build"]
    assert lines(stack, "images") == lines(stack)


def test_stopped_containers_go_with_the_networks_that_only_they_used(stack: World) -> None:
    stack.engine.stop("p-api-1")
    assert lines(stack)[:2] == [
        "remove container p-api-1: it is exited",
        "remove network p_inner: no container is left on it",
    ]
    assert not any("p_default" in line for line in lines(stack))


def test_a_stopped_container_keeps_its_image_from_clean_images(stack: World) -> None:
    stack.engine.stop("p-api-1")
    assert not any("p-api:latest" in line for line in lines(stack, "images"))
    stack.engine.remove_container("p-api-1")
    assert "remove image p-api:latest: built for api" in lines(stack, "images")
    assert not any("d:1" in line for line in lines(stack, "images")), "that one was pulled"


def test_an_old_build_that_a_container_still_runs_from_stays(stack: World) -> None:
    stack.engine._raw("p-api-1")["Image"] = OLD.id
    assert lines(stack) == []
    assert planned(stack, "images").kept == ()


def test_runs_that_ended_and_orphans_go_but_a_run_that_goes_on_stays(stack: World) -> None:
    stack.engine._raw("p-api-1")["Config"]["Labels"][labels.ONEOFF] = "True"
    assert not any("container" in line for line in lines(stack))
    stack.engine.stop("p-api-1")
    assert lines(stack)[0] == "remove container p-api-1: it was started by run and has ended"
    stack.engine._raw("p-db-1")["Config"]["Labels"][labels.SERVICE] = "gone"
    why = "its service gone is no longer in the files"
    assert {f"stop container p-db-1: {why}", f"remove container p-db-1: {why}"} <= set(lines(stack))


def test_what_somebody_runs_from_an_image_of_ours_is_not_ours(stack: World) -> None:
    del stack.engine._raw("p-api-1")["Config"]["Labels"][labels.ONEOFF]
    for going in (planned(stack, "all").steps, stack.down_plan()):
        assert not any("p-api-1" in step.target for step in going)


def test_clean_all_takes_everything_but_volumes_and_what_was_pulled(stack: World) -> None:
    result = cleaned(stack, "all")
    assert result.error is None
    assert stack.engine.names() == {}
    assert stack.engine._networks == {}
    assert set(stack.engine._images) == {"d:1", "p-api"}
    assert "p_data" in stack.engine._volumes
    stops = [call for call in stack.engine.calls if call.startswith("stop")]
    assert stops == ["stop p-api-1", "stop p-db-1"]
    assert stack.engine.calls.index("remove image p-api:latest") > stack.engine.calls.index("remove p-api-1")


def test_volumes_go_only_when_asked_for_anonymous_ones_too(stack: World) -> None:
    scratch = stack.engine.container("p-db-1").volumes["/scratch"]
    assert not any("volume" in line for line in lines(stack, "all"))
    assert lines(stack, "all", volumes=True)[-2:] == [
        "remove volume p_data: --volumes: its data is lost",
        f"remove volume {scratch}: --volumes: it is anonymous and its container goes",
    ]


def test_what_others_use_stays_and_is_named_after_the_rest_is_gone(stack: World) -> None:
    raw = stack.engine._raw("p-api-1")
    raw["Name"], raw["Config"]["Labels"] = "/other", {labels.PROJECT: "q", labels.SERVICE: "x"}
    result = cleaned(stack, "all")
    assert [item.to_json() for item in result.kept] == [
        {"target": "image p-api:latest", "why": "container other uses it"}
    ]
    assert result.error is not None
    assert "image p-api:latest (container other uses it)" in result.error.message
    assert stack.engine.names() == {"other": "running"}
    assert "p_default" in stack.engine._networks, "the other one hangs on it"


def test_what_the_engine_refuses_is_named_and_the_rest_goes(stack: World) -> None:
    refusal = EngineFailed("removing volume p_data: volume is in use")
    stack.engine.faults["remove volume p_data"] = refusal
    stack.engine.faults["remove network p_inner"] = NotFound("it has just gone")
    result = cleaned(stack, "all", volumes=True)
    assert [item.to_json() for item in result.kept] == [
        {"target": "volume p_data", "why": refusal.message},
    ]
    assert "remove volume p_data" not in {f"{step.action} {step.target}" for step in result.steps}
    assert stack.engine.names() == {}


def test_an_engine_that_goes_away_ends_the_work(stack: World) -> None:
    stack.engine.faults["remove p-api-1"] = EngineUnreachable("it is gone")
    with pytest.raises(EngineUnreachable):
        cleaned(stack, "all")


@pytest.mark.parametrize(
    ("tags", "service", "own"),
    [
        ((), "api", ("sha256:1",)),
        (("p-api:latest", "p-api:2"), "api", ("p-api:latest", "p-api:2")),
        (("p-gone:latest",), "gone", ("p-gone:latest",)),
        (
            ("host:5000/team/web:2", "host:5000/team/web:1"),
            "web",
            ("host:5000/team/web:2", "host:5000/team/web:1"),
        ),
        (("extra:1",), "web", ("extra:1",)),
        (("mine:1", "p-api:latest"), "api", ("p-api:latest",)),
        (("d:2",), "api", ()),
        (("host:5000/team:1",), "web", ()),
    ],
)
def test_only_names_that_the_project_gives_are_its_own(
    world: World, tags: tuple[str, ...], service: str, own: tuple[str, ...]
) -> None:
    project = world.file(
        """
        services:
          api: {build: .}
          web: {build: {context: ., tags: ['extra:9']}, image: 'host:5000/team/web:2'}
          db: {image: 'd:1'}
        """
    )
    image = Image("sha256:1", tags, {labels.PROJECT: "p", labels.SERVICE: service}, 1)
    assert own_names(project, image) == own


def test_an_image_that_somebody_made_from_ours_stays_and_is_told(stack: World) -> None:
    stack.engine.add_built(Image("sha256:cccc", ("theirs:1",), OURS, 1))
    found = planned(stack, "all")
    assert not any("theirs" in step.target for step in found.steps)
    assert ["theirs:1" in warning for warning in found.warnings] == [True]


def test_an_image_of_our_default_name_without_a_label_is_ours(stack: World) -> None:
    for name in ("p-api:latest", "p-api"):
        stack.engine._images.pop(name)
    stack.engine.add_image("p-api", "sha256:2222")
    stack.run(stack.down_plan())
    assert "remove image p-api: built for the project" in lines(stack, "images")


def test_nothing_is_left_to_clean_after_clean_all(stack: World) -> None:
    cleaned(stack, "all")
    del stack.engine._images["p-api"]
    assert lines(stack, "all", volumes=False) == []
