"""Plans of `up` as text: the file, what is there, and the steps with their reasons."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mcpctl.compose.model import Dependency
from mcpctl.engine.types import ExecResult
from mcpctl.errors import ConfigError, NotFound
from mcpctl.stack.order import in_start_order
from tests.unit.mcpctl.stack.world import TWO, before

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World


def test_from_nothing_everything_is_made_and_started_in_order(world: World) -> None:
    world.file(TWO)
    assert world.lines() == [
        "create network p_default: it does not exist",
        "create volume p_data: it does not exist",
        "create container p-backend-1: it does not exist",
        "start container p-backend-1: it is new",
        "create container p-frontend-1: it does not exist",
        "await healthy backend: frontend depends on it",
        "start container p-frontend-1: it is new",
    ]
    plan = world.plan()
    assert before(plan, "network:default", "create:p-backend-1")
    assert before(plan, "volume:data", "create:p-backend-1")
    assert before(plan, "start:p-backend-1", "await healthy:backend")
    assert before(plan, "await healthy:backend", "start:p-frontend-1")
    # creation does not wait for health
    assert not before(plan, "await healthy:backend", "create:p-frontend-1")


def test_a_second_up_has_nothing_to_do(world: World) -> None:
    world.file(TWO)
    world.up()
    assert world.lines() == []


def test_a_stopped_container_is_started_again(world: World) -> None:
    world.file(TWO)
    world.up()
    world.engine.set_state("p-backend-1", Status="exited")
    assert world.lines() == ["start container p-backend-1: it is exited"]


def test_a_changed_environment_recreates_that_service_alone_and_says_why(world: World) -> None:
    world.file(TWO)
    world.up()
    old = world.engine.container("p-backend-1").id
    world.file(TWO.replace("LEVEL: info", "LEVEL: debug").replace("hidden", "other"))
    assert world.lines() == [
        "create container p-backend-1: environment.API_TOKEN: *** -> ***; environment.LEVEL: info -> debug",
        "stop container p-backend-1: it is replaced",
        "remove container p-backend-1: it is replaced",
        "rename container p-backend-1: its old one is gone",
        "start container p-backend-1: it is new",
    ]
    assert world.up() == [
        f"create {old[:12]}_p-backend-1",
        "stop p-backend-1",
        "remove p-backend-1",
        "rename to p-backend-1",
        "start p-backend-1",
    ]
    assert world.engine.names() == {"p-backend-1": "running", "p-frontend-1": "running"}
    assert world.lines() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("image: b:1", "image: b:2"), "image: b:1 -> b:2"),
        (("image: b:1", "image: b:1\n        user: '5'"), "user: unset -> 5"),
        (("image: b:1", "image: b:1\n        command: [a, b]"), "command: unset -> a b"),
        (("image: b:1", "image: b:1\n        read_only: true"), "read_only: unset -> true"),
        (("image: b:1", "image: b:1\n        labels: {x: y}"), "labels.x: unset -> y"),
        (("image: b:1", "image: b:1\n        labels: {MY_SECRET: y}"), "labels.MY_SECRET: unset -> ***"),
        (
            ("image: b:1", "image: b:1\n        mem_limit: 1m"),
            "mem_limit: unset -> 1048576",
        ),
        (("image: b:1", "image: b:1\n        restart: always"), "restart: unset -> always"),
        (("LEVEL: info, ", ""), "environment.LEVEL: info -> unset"),
    ],
)
def test_each_changed_key_is_named(world: World, change: tuple[str, str], reason: str) -> None:
    world.file(TWO)
    world.up()
    world.engine.add_image("b:2", "sha256:1111")
    world.file(TWO.replace(*change))
    assert world.lines()[0] == f"create container p-backend-1: {reason}"


def test_a_new_image_under_the_same_name_recreates(world: World) -> None:
    world.file(TWO)
    world.up()
    world.engine.add_image("f:1", "sha256:2222")
    assert "create container p-frontend-1: image f:1: 1111 -> 2222" in world.lines()


def test_a_network_made_anew_recreates_what_hung_on_the_old_one(world: World) -> None:
    world.file(TWO)
    world.up()
    world.engine._networks.clear()
    assert world.lines()[:2] == [
        "create network p_default: it does not exist",
        "create container p-backend-1: networks.default: the network was made anew",
    ]
    assert before(world.plan(), "network:default", "create:p-frontend-1")


def test_the_old_container_goes_only_after_the_new_one_exists_and_its_dependencies_are_ready(
    world: World,
) -> None:
    world.file(TWO)
    world.up()
    world.file(
        TWO.replace("LEVEL: info", "LEVEL: debug").replace("image: f:1", "image: f:1\n        user: '5'")
    )
    old = world.engine.container("p-frontend-1").id
    plan = world.plan()
    assert before(plan, "create:p-frontend-1", f"stop:{old}")
    # where a dependency fails, nothing was made beside the old one
    assert before(plan, "await healthy:backend", "create:p-frontend-1")
    assert before(plan, f"remove:{old}", "rename:p-frontend-1")
    assert before(plan, "rename:p-frontend-1", "start:p-frontend-1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {external: true}}",
            "external network n does",
        ),
        (
            "services: {a: {image: i, volumes: ['vol:/v']}}\nvolumes: {vol: {external: true}}",
            "external volume vol does",
        ),
    ],
)
def test_what_is_external_must_be_there(world: World, text: str, message: str) -> None:
    world.file(text)
    with pytest.raises(NotFound, match=message) as caught:
        world.plan()
    assert caught.value.hint
    assert caught.value.hint.startswith("docker ")


def test_a_chosen_service_brings_its_dependencies_unless_told_otherwise(world: World) -> None:
    world.file(TWO)
    assert any("p-backend-1" in line for line in world.lines(services=("frontend",)))
    assert world.lines(services=("frontend",), no_deps=True) == [
        "create network p_default: it does not exist",
        "create container p-frontend-1: it does not exist",
        "start container p-frontend-1: it is new",
    ]


def test_a_choice_that_is_no_service_is_refused_with_the_nearest_name(world: World) -> None:
    world.file(TWO)
    with pytest.raises(NotFound) as caught:
        world.plan(services=("backnd",))
    assert caught.value.hint
    assert "did you mean 'backend'?" in caught.value.hint


def test_force_recreates_and_no_recreate_leaves_alone(world: World) -> None:
    world.file(TWO)
    world.up()
    assert [line for line in world.lines(force_recreate=True) if line.startswith("create")] == [
        "create container p-backend-1: --force-recreate",
        "create container p-frontend-1: --force-recreate",
    ]
    world.file(TWO.replace("info", "debug"))
    assert world.lines(no_recreate=True) == []


def test_dependents_with_restart_true_are_restarted_after_the_new_one_is_ready(world: World) -> None:
    text = TWO.replace("{condition: service_healthy}", "{condition: service_healthy, restart: true}")
    world.file(text)
    world.up()
    world.file(text.replace("info", "debug"))
    assert world.lines()[-3::2] == [
        "stop container p-frontend-1: backend is recreated and depends_on.backend.restart is true",
        "start container p-frontend-1: backend is recreated and depends_on.backend.restart is true",
    ]
    assert before(world.plan(), "await healthy:backend", "start:p-frontend-1")


SHARED = """
    services:
      owner: {image: i, environment: {A: '1'}}
      guest: {image: i, network_mode: 'service:owner', pid: 'service:owner'}
"""


def test_a_service_is_made_anew_with_the_one_whose_namespaces_it_shares(world: World) -> None:
    world.file(SHARED)
    world.up()
    assert world.lines() == []
    world.file(SHARED.replace("'1'", "'2'"))
    assert "create container p-guest-1: it shares what owner has, and owner is made anew" in world.lines()
    plan = world.plan()
    assert before(plan, "create:p-owner-1", "create:p-guest-1")
    world.up()
    assert world.lines() == []
    owner = world.engine.container("p-owner-1").id
    assert world.engine.container("p-guest-1").raw["HostConfig"]["NetworkMode"] == f"container:{owner}"


def test_an_owner_that_was_removed_takes_its_guest_along(world: World) -> None:
    world.file(SHARED)
    world.up()
    world.engine.remove_container("p-owner-1", force=True)
    assert "create container p-guest-1: it shares what owner has, and owner is made anew" in world.lines()
    world.up()
    assert world.lines() == []


def test_a_one_shot_dependency_is_awaited_to_its_end(world: World) -> None:
    world.file(
        """
        services:
          migrate: {image: i}
          app: {image: i, depends_on: {migrate: {condition: service_completed_successfully}}}
        """
    )
    assert "await completed migrate: app depends on it" in world.lines()


def test_two_dependents_wait_once(world: World) -> None:
    third = "third: {image: f:1, depends_on: {backend: {condition: service_healthy}}}"
    world.file(TWO.replace("    volumes: {data: {}}", f"      {third}\n    volumes: {{data: {{}}}}"))
    assert sum(line.startswith("await healthy backend") for line in world.lines()) == 1
    assert "start container p-third-1: it is new" in world.lines()


OPTIONAL = """
    services:
      cache: {image: i, healthcheck: {test: [CMD, x]}}
      app: {image: i, depends_on: {cache: {condition: service_healthy, required: false}}}
      strict: {image: i, depends_on: {cache: {condition: service_healthy}}}
"""


def test_an_optional_dependency_is_awaited_apart_from_a_required_one(world: World) -> None:
    world.file(OPTIONAL)
    waits = [step for step in world.plan() if step.action == "await healthy"]
    assert [(str(step), step.optional) for step in waits] == [
        ("await healthy cache: app depends on it, but starts without it too", True),
        ("await healthy cache: strict depends on it", False),
    ]
    assert before(world.plan(), "await healthy:cache?", "start:p-app-1")
    assert not before(world.plan(), "await healthy:cache", "start:p-app-1")


def test_an_optional_dependency_that_fails_is_a_warning_and_its_dependent_starts(world: World) -> None:
    world.file(OPTIONAL.replace("      strict", "      #strict"))
    world.engine.probe = lambda _container, _argv: ExecResult(1, "no")
    world.up(wait_timeout=0.1)
    assert world.engine.names() == {"p-cache-1": "running", "p-app-1": "running"}
    assert world.warnings == [
        "optional dependency cache: p-cache-1 starting; what depends on it starts anyway"
    ]


def test_an_optional_dependency_may_be_disabled_or_missing_from_the_engine(world: World) -> None:
    text = OPTIONAL.replace("      strict", "      #strict")
    world.file(text.replace("cache: {image: i,", "cache: {image: i, profiles: [p],"))
    assert "await" not in " ".join(world.lines())
    world.up()
    assert world.engine.names() == {"p-app-1": "running"}


def test_a_circle_is_refused_by_its_names(world: World) -> None:
    project = world.file("services: {a: {image: i}, b: {image: i, depends_on: [a]}}")
    first = replace(project.services["a"], depends_on={"b": Dependency()})
    circle = replace(project, services={**project.services, "a": first})
    with pytest.raises(ConfigError, match=r"in a circle: (a -> b -> a|b -> a -> b)"):
        in_start_order(circle)
    with pytest.raises(ConfigError):
        world.file("services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}")


def test_an_anonymous_volume_goes_on_with_its_data(world: World) -> None:
    world.file("services: {db: {image: i, volumes: ['/var/lib/db'], environment: {A: '1'}}}")
    world.up()
    volume = world.engine.container("p-db-1").volumes["/var/lib/db"]
    world.file("services: {db: {image: i, volumes: ['/var/lib/db'], environment: {A: '2'}}}")
    world.up()
    assert world.engine.container("p-db-1").volumes == {"/var/lib/db": volume}


def test_every_step_says_why_and_has_an_id_of_its_own(world: World) -> None:
    world.file(textwrap.dedent(TWO))
    plan = world.plan()
    assert all(step.why for step in plan)
    assert len({step.id for step in plan}) == len(plan)
    assert {need for step in plan for need in step.needs} <= {step.id for step in plan}
    assert plan[0].to_json() == {
        "action": "create network",
        "target": "p_default",
        "why": ["it does not exist"],
    }
