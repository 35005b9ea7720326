"""What plans rest on, proven on the real engine: contents, optional dependencies, names and reasons."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.archive import archive
from mcpctl.engine.types import WrittenFile
from mcpctl.errors import ExitCode, Unhealthy
from mcpctl.stack.up import UpRequest, plan_for_up
from tests.unit.mcpctl.stack.keys import KEYS, TOP, Key, service

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.engine.client import Engine
    from tests.conftest import Outcome
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


CHECK = "{test: 'exit 1', interval: 300ms, retries: 1}"
SICK = f"{{image: IMAGE, command: [sleep, '300'], init: true, healthcheck: {CHECK}}}"
OPTIONAL = f"""
services:
  sick: {SICK}
  once: {{image: IMAGE, command: [sh, -c, "exit 4"]}}
  app:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    depends_on:
      sick: {{condition: service_healthy, required: false}}
      once: {{condition: service_completed_successfully, required: false}}
"""


def test_optional_dependencies_that_fail_keep_nobody_back_as_in_compose(stack: Make) -> None:
    one = stack(OPTIONAL)
    result = one.up(wait=False, wait_timeout=60)
    assert one.one("app").running
    assert sorted(result.warnings) == [
        f"optional dependency once: {one.name}-once-1 exited with 4; what depends on it starts anyway",
        f"optional dependency sick: {one.name}-sick-1 unhealthy; what depends on it starts anyway",
    ]
    other = stack(OPTIONAL)
    other.compose("up", "-d")
    assert other.one("app").running


def test_what_waits_for_a_one_shot_hears_its_exit_code_and_its_last_words(stack: Make) -> None:
    one = stack(
        """
        services:
          migrate: {image: IMAGE, command: [sh, -c, "echo no such table; exit 4"]}
          app:
            image: IMAGE
            command: [sleep, "300"]
            depends_on: {migrate: {condition: service_completed_successfully}}
        """
    )
    with pytest.raises(Unhealthy) as caught:
        one.up()
    assert caught.value.message == "not healthy: migrate (exited with 4); app depends on it"
    (culprit,) = caught.value.details["containers"]  # type: ignore[misc] - JSON
    assert culprit["log"] == ["no such table"]


CHAIN = """
services:
  back: {image: IMAGE, command: [sleep, "300"], init: true, healthcheck: {test: [CMD, TEST], interval: 30s}}
  front:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    environment: {A: "VALUE"}
    depends_on: {back: {condition: service_healthy}}
"""


def test_a_recreate_whose_dependency_fails_leaves_nothing_half_made(stack: Make) -> None:
    one = stack(CHAIN.replace("TEST", '"true"'))
    one.up()
    before = one.ids()
    one.write(CHAIN.replace("TEST", '"false"').replace("VALUE", "other"))
    with pytest.raises(Unhealthy):
        one.up(wait_timeout=1.5)
    assert sorted(one.ids()) == ["back-1", "front-1"]
    assert one.ids()["front-1"] == before["front-1"]
    assert one.one("front").running


def test_a_tag_that_moved_recreates_with_both_ids(stack: Make, engine: Engine) -> None:
    tag = f"mcpctl-test/moved:{secrets.token_hex(4)}"
    one = stack(f"services: {{a: {{image: {tag}, command: [sleep, '300'], init: true}}}}")
    old = engine.import_image(iter([archive([])]), tag)
    try:
        one.up(start=False, wait=False)
        new = engine.import_image(iter([archive([WrittenFile("/x", b"x")])]), tag)
        short = [image.removeprefix("sha256:")[:12] for image in (old, new)]
        assert reasons(one) == {"a-1": (f"image {tag}: {short[0]} -> {short[1]}",)}
        one.up(start=False, wait=False)
        assert reasons(one) == {}
        one.compose("create")
        assert reasons(one) == {}
    finally:
        one.sweep()
        for image in (tag, old):
            engine.remove_image(image)


SHARED = """
services:
  a:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    volumes: ["data:/data", "other:/other"]
    networks: [default, outside]
volumes: {data: {name: NAME-shared}, other: {}}
networks: {outside: {external: true, name: NAME-outside}}
"""


def test_what_others_still_use_stays_and_the_rest_goes(
    stack: Make, engine: Engine, run: Callable[..., Outcome]
) -> None:
    one, two = stack(""), stack("")
    outside = engine.api.create_network(f"{one.name}-outside")["Id"]
    try:
        one.write(SHARED.replace("NAME", one.name))
        one.up(wait=False)
        foreign = "{image: IMAGE, command: [sleep, '300'], init: true, volumes: ['data:/d'], networks: [n]}"
        two.write(
            f"""
            services: {{guest: {foreign}}}
            volumes: {{data: {{name: {one.name}-shared}}}}
            networks: {{n: {{name: {one.name}_default, external: true}}}}
            """
        )
        two.up(wait=False)
        where = ("-C", one.folder, "-p", one.name, "-H", engine.endpoint.url)
        outcome = run(*where, "down", "--volumes", "--yes", "-t", "1", "-o", "json")
        guest = f"{two.name}-guest-1"
        assert outcome.exit_code == ExitCode.PARTLY_DONE
        (error,) = outcome.json["errors"]
        assert error["message"] == (
            f"volume {one.name}-shared is used by {guest}; everything else is removed"
        )
        assert error["hint"] == f"docker rm -f {guest}, then: mcpctl down --volumes"
        assert outcome.json["warnings"] == [
            f"network {one.name}_default stays: {guest} is not of this project and runs on it"
        ]
        assert one.containers() == ()
        assert engine.find_volume(f"{one.name}_other") is None
        assert two.one("guest").running

        two.down(volumes=True)
        assert engine.find_volume(f"{one.name}-shared"), "a project took the volume of another"
        assert engine.find_network(f"{one.name}_default"), "a project took an external network"
        one.down(volumes=True)
        assert engine.find_volume(f"{one.name}-shared") is None
        assert engine.find_network(f"{one.name}_default") is None
        assert engine.find_network(f"{one.name}-outside"), "an external network was removed"
    finally:
        two.sweep()
        one.sweep()
        engine.remove_network(outside)
