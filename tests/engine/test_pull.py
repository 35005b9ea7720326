"""up --pull and pull_policy on the real engine, against a registry of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.errors import ExitCode
from tests.engine.conftest import root_file_system
from tests.engine.registry import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Outcome
    from tests.engine.registry import Registry
    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]
    Drive = Callable[..., Outcome]


@pytest.fixture(scope="module")
def layer() -> bytes:
    return root_file_system()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found


def done(left: Outcome) -> list[str]:
    return [step["action"] for step in left.json["data"]["steps"]]


def version(one: Stack) -> str:
    (found,) = (item for item in one.one("a").raw["Config"]["Env"] if item.startswith("VERSION="))
    return str(found)


def test_a_newer_image_is_pulled_when_asked_for_and_its_container_recreated(
    stack: Make, drive: Drive, registry: Registry, layer: bytes, fresh_name: str
) -> None:
    name = f"{registry.address}/{fresh_name}:1"
    one = stack(f"services: {{a: {{image: '{name}', command: [sleep, '300'], init: true}}}}")
    registry.offer(fresh_name, "1", layer, "VERSION=1")
    assert done(drive(one, "up", "--no-wait")) == [
        *("pull image", "create network", "create container", "start container"),
    ]
    assert version(one) == "VERSION=1"

    registry.offer(fresh_name, "1", layer, "VERSION=2")
    assert done(drive(one, "up", "--no-wait")) == []
    assert done(drive(one, "up", "--no-wait", "--pull", "always", "-t", "1"))[:2] == [
        *("pull image", "create container"),
    ]
    assert version(one) == "VERSION=2"

    registry.offer(fresh_name, "1", layer, "VERSION=3")
    one.compose("up", "-d", "--pull", "always", "-t", "1")
    assert version(one) == "VERSION=3", "compose does the same"
    assert done(drive(one, "up", "--no-wait", "--pull", "never")) == []
    one.down(images="all")
    for leftover in one.engine.api.images(name.rpartition(":")[0]):
        one.engine.api.remove_image(leftover["Id"], force=True)


def test_what_cannot_be_pulled_is_built_and_kept_and_never_is_never(
    stack: Make, drive: Drive, registry: Registry, fresh_name: str
) -> None:
    name = f"{registry.address}/{fresh_name}:1"
    one = stack(f"services: {{a: {{image: '{name}', build: ., command: [sleep, '300'], init: true}}}}")
    (one.folder / "Dockerfile").write_text(f"FROM {one.image}\nENV VERSION=built\n")
    refused = drive(one, "up", "--no-build", "--pull", "never")
    assert refused.exit_code == ExitCode.NOT_FOUND
    assert registry.asked == []
    assert drive(one, "up", "--no-wait").exit_code == ExitCode.OK
    assert any(f"/{fresh_name}/manifests/" in path for path in registry.asked)
    before = one.ids()
    assert version(one) == "VERSION=built"
    assert done(drive(one, "up", "--no-wait", "--pull", "always")) == ["pull image"]
    assert one.ids() == before
    one.write(f"services: {{a: {{image: '{name}0', command: [sleep, '300']}}}}")
    failed = drive(one, "up", "--no-wait")
    assert (failed.exit_code, one.ids()) == (ExitCode.FAILED, before)
