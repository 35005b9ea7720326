"""What plans rest on, proven on the real engine: contents, optional dependencies, names and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.stack.up import UpRequest, plan_for_up
from tests.unit.mcpctl.stack.keys import KEYS, TOP, Key, service

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]


def reasons(one: Stack) -> dict[str, tuple[str, ...]]:
    """Return why each container would be made."""
    steps = plan_for_up(one.engine, one.project, UpRequest())
    return {
        step.target.removeprefix(f"{one.name}-"): step.why
        for step in steps
        if step.action == "create container"
    }


CONTENTS = """
services:
  a:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    configs: [file, {source: text, target: /etc/text, mode: 0400}]
    secrets: [token]
configs: {file: {file: ./file}, text: {content: "one"}}
secrets: {token: {environment: HOME}}
"""


def test_contents_are_there_and_a_changed_one_recreates_in_mcpctl_and_not_in_compose(stack: Make) -> None:
    one = stack(CONTENTS)
    (one.folder / "file").write_text("first")
    one.up()
    read = one.compose(
        "exec", "-T", "a", "sh", "-c", "cat /file /etc/text /run/secrets/token; stat -c %a /etc/text"
    )
    assert read.stdout == f"firstone{one.folder}400\n"
    assert reasons(one) == {}

    (one.folder / "file").write_text("second")
    one.write(CONTENTS.replace('"one"', '"two"'))
    before = one.ids()
    one.compose("up", "-d", "-t", "1")
    assert one.ids() == before, "compose takes the label for a difference"
    assert reasons(one) == {"a-1": ("configs.file: its content changed", "configs.text: its content changed")}
    one.up()
    assert one.compose("exec", "-T", "a", "cat", "/etc/text").stdout == "two"
    assert reasons(one) == {}


def keyed(keys: tuple[Key, ...], one: Stack, *, with_key: bool) -> str:
    """Return a file with a service for each key."""
    services = ["  base: {image: IMAGE, healthcheck: {test: [CMD, 'true']}}"]
    for number, key in enumerate(keys):
        services.append(f"  k{number}: {service(key.text if with_key else key.without)}")
    text = "services:\n" + "\n".join(services) + TOP
    return text.replace("NAME", one.name).replace("IMAGE-other", "IMAGE")


def told(text: str, one: Stack) -> tuple[str, ...]:
    text = text.replace("PATH", str(one.folder)).replace("CONTAINER", one.one("base").id)
    return tuple(text.split(";"))


def test_the_plan_names_each_key_that_is_taken_away_from_what_the_engine_made(stack: Make) -> None:
    # what an image without these would be, and cgroup's default, are the engine's own
    keys = tuple(key for key in KEYS if key.name not in {"container_name", "image", "cgroup"})
    one = stack("")
    (one.folder / "file").write_text("x")
    one.write(keyed(keys, one, with_key=True))
    one.up(wait=False, start=False)
    one.write(keyed(keys, one, with_key=False))
    wanted = {f"k{number}-1": told(key.reason_to_remove, one) for number, key in enumerate(keys)}
    assert reasons(one) == wanted
