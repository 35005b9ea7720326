"""Secrets and configs: what is written into a container, and how a changed content is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from tests.unit.mcpctl.stack.world import World

STACK = """
    services:
      web: {image: i, configs: [nginx], secrets: [token]}
      side: {image: i}
    configs: {nginx: {file: ./nginx.conf}}
    secrets: {token: {file: ./token}}
"""


@pytest.fixture
def stack(world: World) -> World:
    (world.folder / "nginx.conf").write_text("one")
    (world.folder / "token").write_text("hush")
    world.file(STACK)
    world.up()
    assert world.lines() == []
    return world


def recreated(world: World) -> list[str]:
    return [line for line in world.lines() if line.startswith("create container")]


def test_a_changed_config_file_recreates_what_uses_it_alone(stack: World) -> None:
    (stack.folder / "nginx.conf").write_text("two")
    assert recreated(stack) == ["create container p-web-1: configs.nginx: its content changed"]
    stack.up()
    assert stack.lines() == []


def test_a_changed_secret_is_told_without_its_content(stack: World) -> None:
    (stack.folder / "token").write_text("other")
    assert recreated(stack) == ["create container p-web-1: secrets.token: its content changed"]
    (label,) = (
        item.labels[labels.CONTENT] for item in stack.engine.containers(["com.docker.compose.service=web"])
    )
    assert "hush" not in label


def test_what_was_made_without_the_label_is_left_alone(stack: World) -> None:
    del stack.engine._raw("p-web-1")["Config"]["Labels"][labels.CONTENT]
    (stack.folder / "nginx.conf").write_text("two")
    assert stack.lines() == []


def test_a_file_that_is_gone_recreates_nothing_and_does_not_stop_down(stack: World) -> None:
    (stack.folder / "nginx.conf").unlink()
    assert stack.lines() == []
    assert stack.down_lines() != []


def test_two_secrets_of_one_content_have_two_digests(stack: World) -> None:
    stack.file(
        STACK.replace("[token]", "[token, same]").replace("token: {", "same: {file: ./token}, token: {")
    )
    stack.up()
    (web,) = stack.engine.containers(["com.docker.compose.service=web"])
    parts = dict(part.split("=") for part in web.labels[labels.CONTENT].split(","))
    assert sorted(parts) == ["configs.nginx", "secrets.same", "secrets.token"]
    assert parts["secrets.same"] != parts["secrets.token"]


def test_content_and_variables_are_written_before_each_start_with_their_mode_and_owner(world: World) -> None:
    world.file(
        """
        services:
          web:
            image: i
            configs: [c, {source: c, target: etc/c, mode: 0600, uid: "5", gid: "6"}]
            secrets: [s, {source: s, target: /abs}]
        configs: {c: {content: "text"}}
        secrets: {s: {environment: HOME}}
        """
    )
    calls = world.up()
    assert calls.index("write /run/secrets/s into p-web-1") < calls.index("start p-web-1")
    home = str(world.folder).encode()
    assert {
        path: (item.data, item.mode, item.uid, item.gid) for path, item in world.engine.written.items()
    } == {
        "/c": (b"text", 0o444, 0, 0),
        "/etc/c": (b"text", 0o600, 5, 6),
        "/run/secrets/s": (home, 0o444, 0, 0),
        "/abs": (home, 0o444, 0, 0),
    }
    assert world.engine.container("p-web-1").raw["HostConfig"]["Mounts"] is None


def test_a_changed_content_in_the_file_recreates(world: World) -> None:
    text = "services: {web: {image: i, configs: [c]}}\nconfigs: {c: {content: 'one'}}"
    world.file(text)
    world.up()
    world.file(text.replace("one", "two"))
    assert recreated(world) == ["create container p-web-1: configs.c: its content changed"]


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ("secrets: {s: {external: true}}", "'s' is external: only Swarm keeps"),
        ("secrets: {s: {environment: NOT_THERE}}", "variable NOT_THERE, which is not set"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_changed(
    world: World, top: str, message: str
) -> None:
    world.file(f"services: {{web: {{image: i, secrets: [s]}}}}\n{top}")
    with pytest.raises(ConfigError, match=message) as caught:
        world.plan()
    assert caught.value.hint
    assert world.down_lines() == []


def test_an_owner_that_is_no_number_is_refused(world: World) -> None:
    world.file("services: {web: {image: i, configs: [{source: c, uid: me}]}}\nconfigs: {c: {content: 'one'}}")
    with pytest.raises(ConfigError, match="'me' is no user or group number"):
        world.plan()
