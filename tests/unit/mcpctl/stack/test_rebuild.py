"""Plans of `rebuild` as text: what is named is built, once, whatever its pull policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.build import Built
from mcpctl.engine.builders import Builder
from mcpctl.stack import images
from mcpctl.stack.images import BuildChoice
from mcpctl.stack.plan import UpChoice
from mcpctl.stack.rebuild import plan_for_rebuild, rebuild
from mcpctl.stack.up import UpRequest, up
from tests.unit.mcpctl.stack.world import Silence

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize("bring", [up, rebuild])
def test_what_goes_into_an_image_is_noted_by_whatever_command_builds_it(
    world: World, monkeypatch: pytest.MonkeyPatch, bring: Callable[..., object]
) -> None:
    world.file("services: {a: {build: .}}")
    (world.folder / "Dockerfile").write_text("FROM scratch\n")

    def build(*_arguments: object) -> Built:
        return Built("sha256:new", "digest")

    monkeypatch.setattr(images, "build", build)
    monkeypatch.setattr(images, "choose_builder", lambda _environ: Builder("in this test"))
    noted: dict[str, str] = {}
    building = BuildChoice(remember=noted.__setitem__)
    request = UpRequest(build=True, building=building, wait_timeout=5)
    bring(world.engine, world.project, request, Silence(), lambda _address, _port: None)
    assert list(noted) == ["sha256:new"]
