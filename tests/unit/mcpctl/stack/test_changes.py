"""A recreate says which key changed: each key of the file, added and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.schema import SERVICE
from mcpctl.compose.shapes import Unsupported
from mcpctl.engine.types import Image
from tests.unit.mcpctl.stack.keys import (
    ELSEWHERE,
    ENGINES_DIFFER,
    IN_MEMORY,
    KEYS,
    NO_TRACE,
    NOT_COMPARED,
    TOP,
    UNSEEN,
    Key,
    service,
)

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World


def stack(keys: str) -> str:
    base = "base: {image: IMAGE, healthcheck: {test: [CMD, 'true']}}"
    text = f"services: {{{base}, a: {service(keys)}}}{TOP}"
    return text.replace("NAME", "p").replace("IMAGE", "img")


def reasons(world: World, *, before: str, after: str) -> list[str]:
    """Bring one file up and return why the next recreates ``a``."""
    (world.folder / "file").write_text("x")
    world.file(stack(before))
    world.up()
    world.file(stack(after))
    return told(world)


def told(world: World) -> list[str]:
    steps = [step for step in world.plan() if step.action == "create container" and step.service == "a"]
    return [why for step in steps for why in step.why]


def expected(world: World, text: str) -> list[str]:
    text = text.replace("IMAGE", "img").replace("PATH", str(world.folder))
    if "CONTAINER" in text:
        text = text.replace("CONTAINER", world.engine.container("p-base-1").id)
    return text.split(";")


PAIRS = [key for key in (*KEYS, *IN_MEMORY) if key.name != "container_name"]


@pytest.mark.parametrize("key", PAIRS, ids=lambda key: key.name)
def test_a_key_that_is_added_is_named(world: World, key: Key) -> None:
    found = reasons(world, before=key.without, after=key.text)
    assert found == expected(world, key.reason_to_add)


@pytest.mark.parametrize("key", PAIRS, ids=lambda key: key.name)
def test_a_key_that_is_taken_away_is_named(world: World, key: Key) -> None:
    found = reasons(world, before=key.text, after=key.without)
    assert found == expected(world, key.reason_to_remove)


def test_a_new_name_for_the_container_is_named(world: World) -> None:
    assert reasons(world, before="", after="container_name: special") == ["container_name: p-a-1 -> special"]


@pytest.mark.parametrize("name", NO_TRACE)
def test_of_what_leaves_no_trace_at_least_the_coming_is_told(world: World, name: str) -> None:
    world.file(stack(""))
    world.up()
    text = stack(NO_TRACE[name])
    (world.folder / "compose.yaml").write_text(text)
    project = world.load(profiles=("p",))
    assert [step.why for step in world.plan_of(project) if step.id.startswith("create:")] == [
        (f"{name}: unset -> set",)
    ]


def test_every_key_that_is_supported_is_tried() -> None:
    supported = {key for key, shape in SERVICE.fields.items() if not isinstance(shape, Unsupported)}
    tried = {key.name.partition(" ")[0].partition(".")[0] for key in (*KEYS, *IN_MEMORY)}
    assert supported - tried - set(NO_TRACE) - NOT_COMPARED - ELSEWHERE == set()
    assert set(ENGINES_DIFFER) <= {key.name for key in IN_MEMORY}


def test_few_changes_remain_without_a_name() -> None:
    assert {key.name for key in KEYS if UNSEEN in (key.added, key.removed)} == {
        "cgroup",
        "isolation",
        "runtime",
    }


FROM_IMAGE: dict[str, Any] = {
    "Env": ["PATH=/bin", "A=image"],
    "Cmd": ["serve"],
    "User": "7",
    "WorkingDir": "/srv",
    "Healthcheck": {"Test": ["CMD", "probe"], "Interval": 5_000_000_000},
    "ExposedPorts": {"80/tcp": {}},
    "Labels": {"maker": "me"},
    "StopSignal": "SIGQUIT",
}


def engine_merges(world: World) -> None:
    """Let the container show what a real engine takes from the image."""
    world.engine._images["img"] = Image("sha256:1111", ("img",), {}, 1, FROM_IMAGE)
    config = world.engine._raw("p-a-1")["Config"]
    given = {entry.partition("=")[0] for entry in config["Env"]}
    config["Env"] += [entry for entry in FROM_IMAGE["Env"] if entry.partition("=")[0] not in given]
    config["Labels"] = {**FROM_IMAGE["Labels"], **config["Labels"]}
    config["Healthcheck"] = {**FROM_IMAGE["Healthcheck"], **config.get("Healthcheck", {})}
    for key in ("Cmd", "User", "WorkingDir", "ExposedPorts", "StopSignal"):
        config[key] = config.get(key) or FROM_IMAGE[key]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("labels: {x: y}", "", ["labels.x: y -> unset"]),
        ("environment: {A: mine}", "", ["environment.A: mine -> image"]),
        ("environment: {A: mine, B: mine}", "environment: {A: mine}", ["environment.B: mine -> unset"]),
        ("environment: {A: mine}", "environment: {A: null}", ["environment.A: mine -> unset"]),
        ("user: '5'", "", ["user: 5 -> 7"]),
        ("command: [other]", "command: []", ["command: other -> serve"]),
        ("healthcheck: {interval: 9s}", "", ["healthcheck.interval: 9s -> 5s"]),
    ],
)
def test_what_comes_from_the_image_is_no_change(
    world: World, before: str, after: str, why: list[str]
) -> None:
    world.file(stack(before))
    world.up()
    engine_merges(world)
    world.file(stack(after))
    assert told(world) == why


def test_without_the_image_only_what_the_file_has_is_compared(world: World) -> None:
    world.file(stack("environment: {A: '1'}"))
    world.up()
    engine_merges(world)
    world.engine._raw("p-a-1")["Image"] = "sha256:gone"
    world.file(stack("environment: {A: '2'}"))
    assert told(world) == ["environment.A: 1 -> 2"]


def test_of_long_values_what_differs_is_shown(world: World) -> None:
    long = "x" * 300
    (reason,) = reasons(
        world,
        before=f"environment: {{A: '{long}1{long}'}}",
        after=f"environment: {{A: '{long}2{long}'}}",
    )
    before, after = reason.removeprefix("environment.A: ").split(" -> ")
    assert before == "…" + "x" * 20 + "1" + "x" * 79 + "…"
    assert after == "…" + "x" * 20 + "2" + "x" * 79 + "…"
    assert len(reason) < 250


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("[serve, --password, hush]", "serve --password ***"),
        ("[serve, --api-token=hush]", "serve --api-token=***"),
        ("[sh, -c, 'DB_PASSWORD=hush serve']", "sh -c 'DB_PASSWORD=*** serve'"),
        ("[serve, 'postgres://me:hush@db/x']", "serve postgres://me:***@db/x"),
        ("[serve, --key-file, /run/secrets/k]", "serve --key-file /run/secrets/k"),
    ],
)
def test_secrets_on_a_command_line_are_masked(world: World, command: str, shown: str) -> None:
    assert reasons(world, before="", after=f"command: {command}") == [f"command: run -> {shown}"]
