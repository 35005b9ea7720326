"""Which images are built or pulled, and when one counts as stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.builders import Builder
from mcpctl.engine.types import BuildSpec, Image
from mcpctl.errors import ConfigError, EngineFailed, NotFound
from mcpctl.stack import images as stack_images
from mcpctl.stack.images import (
    PULL_POLICIES,
    BuildChoice,
    build_inputs,
    build_spec,
    perform_image_step,
    plan_images,
    plan_stale,
)
from mcpctl.stack.steps import Step

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

TEXT = """
    services:
      api: {build: {context: ., args: {BASE_IMAGE: 'python:3.11', MODE: x}, target: t}, image: api:1}
      web: {image: 'nginx:1'}
      same: {image: 'nginx:1'}
"""


DOCKERFILE = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY sent /\n"


@pytest.fixture
def built(world: World) -> World:
    world.file(TEXT)
    (world.folder / "Dockerfile").write_text(DOCKERFILE)
    return world


def test_only_what_is_missing_is_built_or_pulled_and_once(built: World) -> None:
    project = built.project
    every = frozenset(project.services)
    assert [str(step) for step in plan_images(project, {}, every, rebuild=False)] == [
        "pull image api:1: it does not exist; it is built if it cannot be pulled",
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

    (built.folder / "Dockerfile").write_text(f"{DOCKERFILE}ENV A=1\n")
    assert stale(built, known) == ["build image api:1: its sources changed"]
    (built.folder / "Dockerfile").write_text(DOCKERFILE)
    assert stale(built, known) == []

    built.engine.add_image("python:3.11", "sha256:other")
    assert stale(built, known) == ["build image api:1: its sources changed"]


def test_an_image_with_additional_contexts_is_built_anew_since_they_are_not_looked_into(
    built: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.file(TEXT.replace("target: t", "target: t, additional_contexts: {more: ./more}"))
    builder = Builder("in this test", built.folder)
    monkeypatch.setattr(stack_images, "choose_builder", lambda _environ: builder)
    known = {"sha256:1111": build_inputs(built.engine, built.project.services["api"])}  # type: ignore[arg-type] - stands in
    assert stale(built, known) == ["build image api:1: its additional contexts may have changed"]


def test_what_the_dockerfile_does_not_copy_makes_nothing_stale(built: World) -> None:
    built.engine.add_image("python:3.11", "sha256:2222")
    (built.folder / "sent").write_text("1")
    known = {"sha256:1111": build_inputs(built.engine, built.project.services["api"])}  # type: ignore[arg-type] - stands in
    (built.folder / "other").write_text("1")
    assert stale(built, known) == []
    (built.folder / "sent").write_text("2")
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


BUILDKIT = [
    ("secrets: [token]", "", r"build\.secrets"),
    ("cache_to: ['type=inline']", "", r"build\.cache_to"),
    ("additional_contexts: {other: ./sub}", "", r"build\.additional_contexts"),
    ("context: .", "RUN --mount=type=cache,target=/x make\n", r"Dockerfile:2: RUN --mount"),
]


@pytest.mark.parametrize(("text", "line", "named"), BUILDKIT)
def test_what_the_builder_cannot_do_is_refused_by_name(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str, line: str, named: str
) -> None:
    monkeypatch.setattr("mcpctl.engine.builders.SYSTEM_FOLDERS", ())
    (world.folder / "sub").mkdir()
    secrets = "secrets: {token: {file: ./Dockerfile}}"
    context = "" if text.startswith("context") else "context: ., "
    world.file(f"{{services: {{api: {{build: {{{context}{text}}}}}}}, {secrets}}}")
    (world.folder / "Dockerfile").write_text(f"FROM scratch\n{line}")
    with pytest.raises(ConfigError, match=rf"service api: .*{named} needs BuildKit") as raised:
        plan_images(world.project, {}, frozenset({"api"}), rebuild=False)
    assert "docker-buildx" in (raised.value.hint or "")
    with pytest.raises(ConfigError, match=named):
        plan_stale(world.project, world.engine, {}, {})  # type: ignore[arg-type] - stands in
    folder = world.folder / "home" / "cli-plugins"
    folder.mkdir(parents=True)
    (folder / "docker-buildx").touch(mode=0o755)
    monkeypatch.setattr("mcpctl.engine.builders.SYSTEM_FOLDERS", (str(folder),))
    assert len(plan_images(world.project, {}, frozenset({"api"}), rebuild=False)) == 1


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("{file: ./missing}", "there is no file .*missing"),
        ("{environment: MISSING}", "the variable MISSING is not set"),
        ("{external: true}", "neither a file nor a variable"),
    ],
)
def test_a_secret_that_cannot_be_had_is_named_before_the_build(
    world: World, secret: str, message: str
) -> None:
    world.file(
        f"{{services: {{api: {{build: {{context: ., secrets: [tok]}}}}}}, secrets: {{tok: {secret}}}}}"
    )
    with pytest.raises(ConfigError, match=message):
        build_spec(world.project, world.project.services["api"], BuildChoice())


def test_secrets_and_contexts_are_handed_to_buildkit(world: World) -> None:
    (world.folder / "token").write_text("x")
    world.file(
        "{services: {api: {build: {context: ., secrets: [tok, {source: tok, target: other}], "
        "additional_contexts: {more: ./sub}, cache_to: [a], platforms: [linux/amd64, linux/arm64]}}}, "
        "secrets: {tok: {file: ./token}}}"
    )
    spec = build_spec(world.project, world.project.services["api"], BuildChoice())
    assert [(item.id, item.file) for item in spec.secrets] == [
        ("tok", str(world.folder / "token")),
        ("other", str(world.folder / "token")),
    ]
    assert spec.contexts == {"more": str(world.folder / "sub")}
    assert spec.cache_to == ("a",)
    assert spec.platform is None


def test_hosts_memory_and_tags_of_a_build_are_handed_on(world: World) -> None:
    world.file(
        "services: {api: {build: {context: ., shm_size: 64m, tags: ['api:two'], "
        "extra_hosts: ['db:10.0.0.1'], platforms: [linux/amd64]}}}"
    )
    spec = build_spec(world.project, world.project.services["api"], BuildChoice())
    assert (spec.shm_size, spec.more_tags, spec.platform) == (64 * 1024**2, ("api:two",), "linux/amd64")
    assert spec.extra_hosts == ("db:10.0.0.1",)


BOTH = "{build: ., image: 'i:1'POLICY}"
BUILT = "{build: .POLICY}"
PULLED = "{image: 'i:1'POLICY}"
PULL, KEEP = "pull image i:1: it does not exist", "it is built if it cannot be pulled"
LOCAL = "the local one is kept if it cannot be pulled"
MISSING = "build image i:1: it does not exist"
OWN = "build image p-a: it does not exist"


@pytest.mark.parametrize(
    ("service", "policy", "missing", "there"),
    [
        (BOTH, "", [f"{PULL}; {KEEP}"], []),
        (BOTH, "missing", [f"{PULL}; {KEEP}"], []),
        (BOTH, "if_not_present", [f"{PULL}; {KEEP}"], []),
        (
            BOTH,
            "always",
            [f"{PULL}; {KEEP}"],
            [f"pull image i:1: WHY; {LOCAL}"],
        ),
        (BOTH, "never", [MISSING], []),
        (BOTH, "build", [MISSING], ["build image i:1: WHY"]),
        (BUILT, "", [OWN], []),
        (BUILT, "always", [OWN], []),
        (BUILT, "never", [OWN], []),
        (BUILT, "build", [OWN], ["build image p-a: WHY"]),
        (PULLED, "", [PULL], []),
        (PULLED, "always", [PULL], ["pull image i:1: WHY"]),
        (PULLED, "never", NotFound, []),
        (PULLED, "build", NotFound, []),
    ],
)
@pytest.mark.parametrize("by", ["file", "option"])
def test_images_are_pulled_and_built_by_the_rules_of_docker_compose(
    world: World, service: str, policy: str, missing: list[str] | type[NotFound], there: list[str], by: str
) -> None:
    in_file = f", pull_policy: {policy}" if policy and by == "file" else ""
    project = world.file(f"services: {{a: {service.replace('POLICY', in_file)}}}")
    given = PULL_POLICIES[policy] if policy and by == "option" else None
    why = f"--pull {policy}" if by == "option" else f"pull_policy: {policy}"

    def planned(images: dict[str, Image | None]) -> list[str]:
        steps = plan_images(project, images, frozenset({"a"}), rebuild=False, pull=given)
        return [str(step) for step in steps]

    if isinstance(missing, list):
        assert planned({}) == missing
    else:
        with pytest.raises(missing, match=f"image i:1 does not exist, and its pull policy is {policy}"):
            planned({})
    present = {name: Image("sha256:1", (name,), {}, 1) for name in ("i:1", "p-a")}
    assert planned({**present}) == [line.replace("WHY", why) for line in there]


def test_no_build_builds_nothing_and_says_so_where_an_image_is_missing(world: World) -> None:
    project = world.file("services: {a: {build: .}, b: {build: ., image: 'i:1', pull_policy: build}}")
    there = {"i:1": Image("sha256:1", ("i:1",), {}, 1)}
    assert plan_images(project, {**there}, frozenset({"b"}), rebuild=False, no_build=True) == ()
    with pytest.raises(NotFound, match="image p-a does not exist, and --no-build forbids") as caught:
        plan_images(project, {}, frozenset({"a"}), rebuild=False, no_build=True)
    assert caught.value.hint == "mcpctl build a"


def test_an_image_that_another_service_builds_is_built_by_it(world: World) -> None:
    project = world.file("services: {a: {image: 'i:1', pull_policy: never}, b: {build: ., image: 'i:1'}}")
    (step,) = plan_images(project, {}, frozenset({"a"}), rebuild=False)
    assert (step.action, step.service, step.subject) == ("build image", "b", "i:1")


@pytest.mark.parametrize(
    ("service", "there", "done"),
    [
        ("a", False, ["pull i:1", "build i:1"]),
        ("a", True, ["pull i:1"]),
        ("", False, None),
    ],
)
def test_an_image_that_cannot_be_pulled_is_built_or_the_local_one_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, service: str, there: bool, done: list[str] | None
) -> None:
    project = world.file("services: {a: {build: ., image: 'i:1'}}")
    (world.folder / "Dockerfile").write_text("FROM scratch\n")
    if not there:
        world.engine.remove_image("i:1")
    did: list[str] = []

    def refuse(_engine: object, image: str, _report: object) -> None:
        did.append(f"pull {image}")
        raise EngineFailed(f"pulling {image}: no such host")

    def build(_engine: object, spec: BuildSpec, *_more: object) -> str:
        did.append(f"build {spec.tag}")
        return "sha256:2"

    monkeypatch.setattr(stack_images, "pull", refuse)
    monkeypatch.setattr(stack_images, "build", build)
    step = Step("pull:i:1", "pull image", "i:1", ("it does not exist",), service=service, subject="i:1")
    lines: list[str] = []

    def perform() -> None:
        perform_image_step(world.engine, project, step, BuildChoice(), lines.append)  # type: ignore[arg-type] - stands in

    if done is None:
        with pytest.raises(EngineFailed, match="no such host"):
            perform()
        return
    perform()
    assert did == done
    assert "no such host" in lines[0]
