"""Whole stacks on the real engine: up, down, readiness, ports, and what is told when it fails."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.doctor import find_holder
from mcpctl.engine.client import Engine
from mcpctl.errors import EngineFailed, ExitCode, PortTaken, Unhealthy
from mcpctl.stack import readiness
from mcpctl.stack.follow import follow_logs
from mcpctl.stack.logs import LogRequest, read_logs
from mcpctl.stack.status import read_status
from tests.engine.stack import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Outcome
    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]

TWO = """
services:
  back:
    image: IMAGE
    command: [sh, -c, "echo begun; sleep 0.2; touch /tmp/ready; exec sleep 300"]
    init: true
    environment: {LEVEL: info}
    volumes: ["data:/data", "/scratch"]
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 30s}
  front:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    depends_on: {back: {condition: service_healthy}}
    networks: [default, inner]
volumes: {data: {}}
networks: {inner: {internal: true}}
"""


def test_up_makes_all_in_order_and_a_second_up_finds_nothing_to_do(stack: Make) -> None:
    one = stack(TWO)
    result = one.up()
    done = one.recorder.done
    assert done.index("await healthy back") < done.index(f"start container {one.name}-front-1")
    assert [item.verdict for item in result.ready] == ["ready", "ready"]
    before = one.ids()
    assert one.up().steps == ()
    assert one.ids() == before


def test_health_is_proven_long_before_the_engines_first_check(stack: Make) -> None:
    one = stack(TWO)
    one.up()
    assert one.one("back").health == "starting"
    (back, _front) = read_status(one.engine, one.project)
    assert back.healthy
    assert back.to_json()["running"] == 1


def test_a_changed_service_alone_is_recreated_and_keeps_its_data(stack: Make) -> None:
    one = stack(TWO)
    one.up()
    before = one.ids()
    scratch = one.one("back").volumes["/scratch"]
    one.write(TWO.replace("info", "debug"))
    one.up()
    assert one.ids()["front-1"] == before["front-1"]
    assert one.ids()["back-1"] != before["back-1"]
    assert one.one("back").volumes["/scratch"] == scratch
    assert one.up().steps == ()


def test_down_keeps_volumes_and_with_volumes_takes_even_anonymous_ones(stack: Make) -> None:
    one = stack(TWO)
    one.up()
    scratch = one.one("back").volumes["/scratch"]
    one.down()
    assert one.containers() == ()
    assert one.engine.networks([f"com.docker.compose.project={one.name}"]) == ()
    assert one.engine.find_volume(f"{one.name}_data")
    one.engine.remove_volume(scratch)

    one.up()
    scratch = one.one("back").volumes["/scratch"]
    one.down(volumes=True)
    assert one.engine.find_volume(f"{one.name}_data") is None
    assert one.engine.find_volume(scratch) is None
    assert one.down(volumes=True) == ()


def test_what_is_not_healthy_is_told_with_its_words_and_the_healthy_part_stays_up(stack: Make) -> None:
    one = stack(
        """
        services:
          well: {image: IMAGE, command: [sleep, "300"], init: true}
          sick:
            image: IMAGE
            command: [sh, -c, "echo cannot find the database; exec sleep 300"]
            init: true
            healthcheck: {test: "echo no database; exit 1", interval: 30s}
        """
    )
    with pytest.raises(Unhealthy) as caught:
        one.up(wait_timeout=4)
    assert caught.value.exit_code == ExitCode.UNHEALTHY
    (culprit,) = caught.value.details["containers"]  # type: ignore[misc] - JSON
    assert culprit["service"] == "sick"
    assert culprit["health_output"] == "no database"
    assert culprit["log"] == ["cannot find the database"]
    assert one.one("well").running


def test_a_crash_loop_is_recognised(stack: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LAST_CHANCES", 0)  # the engine's pauses double: each costs seconds
    one = stack("services: {a: {image: IMAGE, command: [sh, -c, 'echo boom; exit 3'], restart: always}}")
    with pytest.raises(Unhealthy, match="crash loop") as caught:
        one.up(wait_timeout=60)
    (culprit,) = caught.value.details["containers"]  # type: ignore[misc] - JSON
    assert set(culprit["log"]) == {"boom"}
    assert culprit["restarts"] >= 5


def test_a_container_that_restarts_and_then_turns_healthy_is_healthy(stack: Make) -> None:
    one = stack(
        """
        services:
          a:
            image: IMAGE
            command: [sh, -c, "test -e /data/second || { touch /data/second; exit 1; }; exec sleep 300"]
            init: true
            restart: always
            volumes: ["data:/data"]
            healthcheck: {test: [CMD, "true"], interval: 30s}
        volumes: {data: {}}
        """
    )
    one.up()
    assert one.one("a").running


def test_one_shots_that_end_well_are_done_and_what_waits_for_them_follows(stack: Make) -> None:
    one = stack(
        """
        services:
          migrate: {image: IMAGE, command: ["true"]}
          app:
            image: IMAGE
            command: [sleep, "300"]
            init: true
            depends_on: {migrate: {condition: service_completed_successfully}}
        """
    )
    one.up()
    assert one.recorder.done.index("await completed migrate") < one.recorder.done.index(
        f"start container {one.name}-app-1"
    )


def test_a_one_shot_that_fails_keeps_back_what_waits_for_it(stack: Make) -> None:
    one = stack(
        """
        services:
          migrate: {image: IMAGE, command: [sh, -c, "echo broken; exit 4"]}
          app:
            image: IMAGE
            command: [sleep, "300"]
            depends_on: {migrate: {condition: service_completed_successfully}}
        """
    )
    with pytest.raises(Unhealthy, match="exited with 4"):
        one.up()
    assert one.one("app").state == "created"


PUBLISHED = "services: {a: {image: IMAGE, command: [sleep, '300'], init: true, ports: ['127.0.0.1:PORT:80']}}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_held_by_a_container_names_it_and_changes_nothing(stack: Make) -> None:
    text = PUBLISHED.replace("PORT", str(free_port()))
    holder, late = stack(text), stack(text)
    holder.up()
    with pytest.raises(PortTaken) as caught:
        late.up()
    assert f"taken by container {holder.name}-a-1" in caught.value.message
    assert late.containers() == ()


def test_a_port_held_by_a_process_of_the_host_names_it(stack: Make) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        one = stack(PUBLISHED.replace("PORT", str(server.getsockname()[1])))
        with pytest.raises(PortTaken) as caught:
            one.up(find_holder=find_holder)
    assert f"(process {os.getpid()})" in caught.value.message
    assert one.containers() == ()


def test_a_port_taken_in_the_last_moment_names_the_container_all_the_same(
    stack: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PUBLISHED.replace("PORT", str(free_port()))
    holder, late = stack(text), stack(text)
    holder.up()
    answers = [None, f"{holder.name}-a-1"]  # free when it is checked, taken when it is needed

    def publishing(_engine: Engine, _port: int, _address: str) -> str | None:
        return answers.pop(0)

    monkeypatch.setattr(Engine, "container_publishing", publishing)
    with pytest.raises(PortTaken, match=f"taken by container {holder.name}-a-1"):
        late.up()
    assert answers == []


def test_the_logs_of_a_stack_are_merged_by_time_and_followed_to_the_end(stack: Make) -> None:
    one = stack(
        """
        services:
          a: {image: IMAGE, command: [sh, -c, "for i in 1 2 3; do echo a$$i; sleep 0.1; done"]}
          b: {image: IMAGE, command: [sh, -c, "for i in 1 2 3; do echo b$$i >&2; sleep 0.1; done"]}
        """
    )
    one.up()
    eventually(lambda: not any(item.running for item in one.containers()), "both have said all")
    lines = list(read_logs(one.engine, one.project, LogRequest()))
    assert sorted(item.line.text for item in lines) == ["a1", "a2", "a3", "b1", "b2", "b3"]
    times = [item.line.timestamp for item in lines]
    assert times == sorted(times)
    followed = follow_logs(one.engine, one.project, LogRequest(("b",)))
    assert [(item.service, item.line.stream, item.line.text) for item in followed] == [
        ("b", "stderr", f"b{number}") for number in (1, 2, 3)
    ]


def test_two_at_once_on_one_project_is_exit_8(stack: Make, run: Callable[..., Outcome]) -> None:
    from mcpctl.state import State

    one = stack(TWO)
    with State(one.folder).locked("up"):
        outcome = run("-C", one.folder, "-p", one.name, "-H", one.engine.endpoint.url, "down", "-o", "json")
    assert outcome.exit_code == ExitCode.LOCKED
    assert outcome.json["errors"][0]["code"] == "locked"


# the other way round: the real docker compose

WORDS = ("ps", "--format", "{{.Service}} {{.State}}")


def test_compose_drives_a_stack_that_mcpctl_made(stack: Make) -> None:
    one = stack(TWO.replace("30s", "1s"))
    one.up()
    before = one.ids()
    assert sorted(one.compose(*WORDS).stdout.split("\n")) == ["", "back running", "front running"]
    assert one.name in one.compose("ls", "--filter", f"name={one.name}").stdout
    assert "begun" in one.compose("logs", "back").stdout
    assert one.compose("exec", "-T", "back", "echo", "inside").stdout == "inside\n"
    one.compose("stop", "-t", "1")
    assert not any(item.running for item in one.containers())
    one.compose("start", "back")
    assert one.one("back").running
    one.compose("restart", "-t", "1", "back")
    one.compose("up", "-d", "-t", "1")
    assert one.ids() == before, "compose recreated what mcpctl made"
    one.compose("down", "-v", "-t", "1")
    assert one.containers() == ()
    assert one.engine.find_volume(f"{one.name}_data") is None


def test_mcpctl_drives_a_stack_that_compose_made(stack: Make) -> None:
    one = stack(TWO.replace("30s", "1s"))
    one.compose("up", "-d")
    before = one.ids()
    assert one.up().steps == ()
    assert one.ids() == before
    assert any(item.line.text == "begun" for item in read_logs(one.engine, one.project, LogRequest()))
    one.compose("stop", "-t", "1")
    one.up()
    assert one.ids() == before
    one.down(volumes=True)
    assert one.containers() == ()


def test_what_compose_run_leaves_behind_goes_with_down(stack: Make) -> None:
    one = stack(TWO)
    one.compose("run", "-d", "--no-deps", "front")
    eventually(lambda: len(one.containers()) == 1, "the one-off container")
    one.down()
    assert one.containers() == ()
    assert one.engine.networks([f"com.docker.compose.project={one.name}"]) == ()


@pytest.mark.engine_from(25)
def test_a_start_interval_reaches_an_engine_that_knows_it(stack: Make) -> None:
    one = stack(
        """
        services:
          a:
            image: IMAGE
            command: [sleep, "300"]
            init: true
            healthcheck: {test: "true", interval: 1h, start_period: 1h, start_interval: 100ms}
        """
    )
    one.up(wait=False)
    assert one.one("a").raw["Config"]["Healthcheck"]["StartInterval"] == 100_000_000
    eventually(lambda: one.one("a").health == "healthy", "the engine's own check, long before its interval")


@pytest.mark.engine_from(25)
def test_each_network_has_the_hardware_address_that_the_file_gives_it(stack: Make) -> None:
    one = stack(
        """
        services:
          a:
            image: IMAGE
            command: [sleep, "300"]
            init: true
            networks: {x: {mac_address: "02:42:ac:11:65:01"}, y: {mac_address: "02:42:ac:11:65:02"}}
          b: {image: IMAGE, command: [sleep, "300"], init: true, mac_address: "02:42:ac:11:65:03"}
        networks: {x: {}, y: {}}
        """
    )
    one.up(wait=False)
    addresses = {
        f"{item.labels[labels.SERVICE]} {network.removeprefix(one.name)}": settings["MacAddress"]
        for item in one.containers()
        for network, settings in item.raw["NetworkSettings"]["Networks"].items()
    }
    assert addresses == {
        "a _x": "02:42:ac:11:65:01",
        "a _y": "02:42:ac:11:65:02",
        "b _default": "02:42:ac:11:65:03",
    }


def test_a_command_that_cannot_be_run_names_the_service_and_what_to_correct(stack: Make) -> None:
    one = stack("services: {web: {image: IMAGE, command: [no-such-program]}}")
    with pytest.raises(EngineFailed, match=r"^web cannot be started: .*executable file not found") as caught:
        one.up()
    assert (
        caught.value.hint == "correct command or entrypoint of web in the compose file, then: mcpctl up web"
    )
    assert one.one("web").id not in caught.value.message
