"""clean, clean images and clean all on the real engine; and the questions before data goes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Outcome
    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]
    Drive = Callable[..., Outcome]

BUILT = """
services:
  app:
    build: .
    command: [sleep, "300"]
    init: true
    networks: [default, inner]
    volumes: ["data:/data", "/scratch"]
  side: {image: IMAGE, command: [sleep, "300"], init: true}
volumes: {data: {}}
networks: {inner: {internal: true}}
"""


@pytest.fixture
def built(stack: Make) -> Stack:
    one = stack(BUILT)
    build(one, "1")
    one.up(wait=False)
    return one


def build(one: Stack, version: str) -> str:
    """Build the image with docker compose, as the one that made it last; return its id."""
    (one.folder / "Dockerfile").write_text(f"FROM {one.image}\nENV VERSION={version}\n")
    one.compose("build", "-q")
    image = one.engine.find_image(f"{one.name}-app")
    assert image is not None
    return image.id


def done(left: Outcome) -> list[str]:
    return [f"{step['action']} {step['target']}" for step in left.json["data"]["steps"]]


def images(one: Stack) -> set[str]:
    return {image.id for image in one.engine.images([f"{labels.PROJECT}={one.name}"])}


def test_clean_takes_leftovers_and_leaves_what_runs(built: Stack, drive: Drive) -> None:
    old = images(built)
    new = build(built, "2")
    built.up(wait=False)
    built.compose("run", "-d", "--no-deps", "--name", f"{built.name}-once", "side", "true")
    built.compose("stop", "-t", "1", "app")
    plan = drive(built, "clean", "--dry-run")
    assert {item.state for item in built.containers()} >= {"running", "exited"}

    left = drive(built, "clean", "--yes")
    assert left.exit_code == ExitCode.OK
    assert (
        sorted(done(left))
        == sorted(done(plan))
        == sorted(
            [
                f"remove container {built.name}-app-1",
                f"remove container {built.name}-once",
                f"remove network {built.name}_inner",
                f"remove image {next(iter(old)).removeprefix('sha256:')[:12]}",
            ]
        )
    )
    assert [item.name for item in built.containers()] == [f"{built.name}-side-1"]
    assert images(built) == {new}
    assert built.engine.find_image(built.image), "the base image stays"
    assert done(drive(built, "clean", "--yes")) == []


def test_clean_images_takes_what_no_container_uses(built: Stack, drive: Drive) -> None:
    used = images(built)
    build(built, "2")
    assert len(images(built)) == 2
    assert [line.split()[1] for line in done(drive(built, "clean", "images", "--yes"))] == ["image"]
    assert images(built) == used, "an older build that still runs stays"
    built.down()
    drive(built, "clean", "images", "--yes")
    assert images(built) == set()
    assert built.engine.find_image(built.image)


def test_clean_all_takes_all_but_data_and_compose_finds_nothing(built: Stack, drive: Drive) -> None:
    scratch = built.one("app").volumes["/scratch"]
    assert drive(built, "clean", "all", "--yes", "-t", "1").exit_code == ExitCode.OK
    assert (built.containers(), images(built)) == ((), set())
    assert built.engine.networks([f"{labels.PROJECT}={built.name}"]) == ()
    assert built.compose("ps", "-aq").stdout == ""
    assert built.engine.find_volume(f"{built.name}_data")
    built.engine.remove_volume(scratch)

    built.up(wait=False)
    scratch = built.one("app").volumes["/scratch"]
    drive(built, "clean", "all", "--volumes", "--yes", "-t", "1")
    assert built.engine.find_volume(f"{built.name}_data") is None
    assert built.engine.find_volume(scratch) is None


def test_what_another_container_uses_stays_and_is_exit_9(
    built: Stack, drive: Drive, container: Callable[..., str]
) -> None:
    other = container(
        "sleep", "300",
        Image=f"{built.name}-app",
        HostConfig={"Mounts": [{"Type": "volume", "Source": f"{built.name}_data", "Target": "/data"}]},
    )  # fmt: skip
    name = built.engine.container(other).name
    left = drive(built, "clean", "all", "--volumes", "--yes", "-t", "1")
    assert (left.exit_code, left.json["status"]) == (ExitCode.PARTLY_DONE, "partial")
    image, volume = left.json["data"]["kept"]
    assert image == {"target": f"image {built.name}-app:latest", "why": f"container {name} uses it"}
    assert volume["target"] == f"volume {built.name}_data"
    assert "in use" in volume["why"]
    assert left.json["errors"][0]["code"] == "partly_done"
    assert [item.id for item in built.containers()] == [other], "it has the label from the image alone"
    assert built.engine.networks([f"{labels.PROJECT}={built.name}"]) == ()
    assert built.engine.container(other).running
    built.engine.remove_container(other, force=True)


@pytest.mark.parametrize(
    "words", [("clean",), ("clean", "images"), ("clean", "all"), ("down", "--volumes")], ids=" ".join
)
def test_without_a_terminal_and_a_yes_nothing_goes(stack: Make, drive: Drive, words: tuple[str, ...]) -> None:
    one = stack(BUILT.replace("build: .", "image: IMAGE"))
    one.compose("create")
    if words == ("clean", "images"):
        one.write(BUILT)
        build(one, "1")
    before = (one.ids(), images(one))
    left = drive(one, *words)
    assert left.exit_code == ExitCode.CONFIRMATION_REQUIRED
    assert left.json["errors"][0]["hint"].endswith("--yes")
    assert (one.ids(), images(one)) == before


@pytest.fixture
def typed() -> Callable[..., tuple[int, str]]:
    """Return a function that runs the command in a terminal where somebody types an answer."""

    def go(one: Stack, answer: str, *words: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        place = ["-C", str(one.folder), "-p", one.name, "-H", one.engine.endpoint.url]
        process = subprocess.run(
            [sys.executable, "-m", "mcpctl", *place, *words],
            stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True, check=False, timeout=60,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(theirs)
        said = os.read(ours, 1 << 16).decode()
        os.close(ours)
        return process.returncode, said

    return go


def test_data_goes_only_once_the_projects_name_is_typed(
    stack: Make, typed: Callable[..., tuple[int, str]]
) -> None:
    one = stack(BUILT.replace("build: .", "image: IMAGE"))
    one.compose("create")
    code, said = typed(one, "y", "down", "--volumes")
    assert code == ExitCode.FAILED
    assert f"remove volume {one.name}_data" in said
    assert f"Type {one.name} to go on" in said
    assert one.engine.find_volume(f"{one.name}_data")
    assert len(one.containers()) == 2
    code, said = typed(one, one.name, "clean", "all", "--volumes", "-t", "1")
    assert (code, one.containers()) == (ExitCode.OK, ())
    assert f"Type {one.name} to go on" in said
    assert one.engine.find_volume(f"{one.name}_data") is None


def test_clean_asks_for_a_yes_and_takes_no_for_an_answer(
    stack: Make, typed: Callable[..., tuple[int, str]]
) -> None:
    one = stack(BUILT.replace("build: .", "image: IMAGE"))
    one.compose("create")
    assert typed(one, "", "clean")[0] == ExitCode.FAILED
    assert len(one.containers()) == 2
    code, said = typed(one, "y", "clean")
    assert (code, one.containers()) == (ExitCode.OK, ())
    assert f"remove container {one.name}-app-1" in said
