"""Plans of `rebuild` as text: what is named is built, once, whatever its pull policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.stack.plan import UpChoice
from mcpctl.stack.rebuild import plan_for_rebuild
from mcpctl.stack.up import UpRequest

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

WHY = "it is to be rebuilt; its containers are recreated where it changed"


def lines(world: World, *services: str) -> list[str]:
    request = UpRequest(UpChoice(services=services))
    return [str(step) for step in plan_for_rebuild(world.engine, world.project, request)]  # type: ignore[arg-type] - stands in


@pytest.mark.parametrize("policy", ["missing", "always", "never", "build"])
def test_what_was_just_built_is_neither_pulled_over_nor_built_again(world: World, policy: str) -> None:
    world.file(f"services: {{a: {{build: ., image: 'a:1', pull_policy: {policy}}}, b: {{image: 'b:1'}}}}")
    world.up()
    assert lines(world) == [f"build image a:1: {WHY}"]


def test_only_what_is_named_is_built_and_what_it_depends_on_is_started(world: World) -> None:
    world.file("services: {a: {build: ., depends_on: [b]}, b: {build: .}, c: {build: .}}")
    world.up()
    for name in ("a", "b", "c"):
        world.engine.stop(f"p-{name}-1")
    assert lines(world, "a") == [
        f"build image p-a: {WHY}",
        "start container p-b-1: it is exited",
        "start container p-a-1: it is exited",
    ]


def test_a_service_without_a_build_section_is_only_brought_up(world: World) -> None:
    world.file("services: {b: {image: 'b:1'}}")
    world.up()
    assert lines(world, "b") == []
