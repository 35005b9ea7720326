"""Which images are built or pulled, and when one counts as stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.errors import ConfigError
from mcpctl.stack.images import BuildChoice, build_inputs, build_spec, plan_images, plan_stale

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

TEXT = """
    services:
      api: {build: {context: ., args: {BASE_IMAGE: 'python:3.11', MODE: x}, target: t}, image: api:1}
      web: {image: 'nginx:1'}
      same: {image: 'nginx:1'}
"""


@pytest.fixture
def built(world: World) -> World:
    world.file(TEXT)
    (world.folder / "Dockerfile").write_text("FROM scratch\n")
    return world


def test_only_what_is_missing_is_built_or_pulled_and_once(built: World) -> None:
    project = built.project
    every = frozenset(project.services)
    assert [str(step) for step in plan_images(project, {}, every, rebuild=False)] == [
        "build image api:1: it does not exist",
        "pull image nginx:1: it does not exist",
    ]
    there = {name: built.engine.find_image(name) for name in ("api:1", "nginx:1")}
    assert plan_images(project, there, every, rebuild=False) == ()
    assert [str(step) for step in plan_images(project, there, every, rebuild=True)] == [
        "build image api:1: --build"
    ]
    assert plan_images(project, {}, frozenset({"web"}), rebuild=True)[0].subject == "nginx:1"


def stale(world: World, known: dict[str, str]) -> list[str]:
    images = {"api:1": world.engine.find_image("api:1")}
    return [str(step) for step in plan_stale(world.project, world.engine, images, known)]  # type: ignore[arg-type] - stands in


def test_an_image_is_stale_once_anything_that_went_into_it_changed(built: World) -> None:
    service = built.project.services["api"]
    known = {"sha256:1111": build_inputs(built.engine, service)}  # type: ignore[arg-type] - stands in
    assert stale(built, known) == []
    assert stale(built, {}) == ["build image api:1: its sources changed"]

    (built.folder / "Dockerfile").write_text("FROM scratch\nENV A=1\n")
    assert stale(built, known) == ["build image api:1: its sources changed"]
    (built.folder / "Dockerfile").write_text("FROM scratch\n")
    assert stale(built, known) == []

    built.engine.add_image("python:3.11", "sha256:other")
    assert stale(built, known) == ["build image api:1: its sources changed"]


def test_a_missing_image_is_stale_for_that_reason(built: World) -> None:
    built.engine.remove_image("api:1")
    assert stale(built, {}) == ["build image api:1: it does not exist"]


def test_the_builder_is_asked_for_what_the_file_says(built: World) -> None:
    project = built.project
    spec = build_spec(project, project.services["api"], BuildChoice(pull=True))
    assert (spec.tag, spec.target, spec.pull, spec.no_cache) == ("api:1", "t", True, False)
    assert spec.args == {"BASE_IMAGE": "python:3.11", "MODE": "x"}
    assert spec.labels["com.docker.compose.service"] == "api"
    with pytest.raises(ConfigError, match="web has no build section"):
        build_spec(project, project.services["web"], BuildChoice())


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("secrets", "secrets: [token]"),
        ("additional_contexts", "additional_contexts: {other: ./sub}"),
        ("platforms", "platforms: [linux/amd64, linux/arm64]"),
    ],
)
def test_what_the_builder_cannot_do_is_refused_by_name(world: World, key: str, text: str) -> None:
    (world.folder / "sub").mkdir()
    secrets = "secrets: {token: {file: ./Dockerfile}}"
    world.file(f"{{services: {{api: {{build: {{context: ., {text}}}}}}}, {secrets}}}")
    (world.folder / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ConfigError, match=rf"service api: build\.{key} needs BuildKit"):
        plan_images(world.project, {}, frozenset({"api"}), rebuild=False)
    with pytest.raises(ConfigError, match=rf"build\.{key}"):
        plan_stale(world.project, world.engine, {}, {})


def test_hosts_memory_and_tags_of_a_build_are_handed_on(world: World) -> None:
    world.file(
        "services: {api: {build: {context: ., shm_size: 64m, tags: ['api:two'], "
        "extra_hosts: ['db:10.0.0.1'], platforms: [linux/amd64]}}}"
    )
    spec = build_spec(world.project, world.project.services["api"], BuildChoice())
    assert (spec.shm_size, spec.more_tags, spec.platform) == (64 * 1024**2, ("api:two",), "linux/amd64")
    assert spec.extra_hosts == ("db:10.0.0.1",)
