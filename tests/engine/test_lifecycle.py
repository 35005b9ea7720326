"""start, stop, restart and rebuild on the real engine, and side by side with the real docker compose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Outcome
    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]
    Drive = Callable[..., Outcome]

CHAIN = """
services:
  db:
    image: IMAGE
    command: [sh, -c, "sleep 0.3; touch /tmp/ready; exec sleep 300"]
    init: true
    tmpfs: [/tmp]
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 1s}
  api:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    depends_on: {db: {condition: service_healthy, restart: true}}
  web:
    image: IMAGE
    command: [sleep, "300"]
    init: true
    depends_on: [api]
"""


def steps(left: Outcome, action: str) -> list[str]:
    done = [step for step in left.json["data"]["steps"] if step["action"] == f"{action} container"]
    return [step["target"].split("-")[-2] for step in done]


def states(one: Stack) -> dict[str, str]:
    return {item.name.split("-")[-2]: item.state for item in one.containers()}


def finished(one: Stack) -> list[str]:
    """Return the services in the order in which their containers ended."""
    rows = [(item.raw["State"]["FinishedAt"], item.name.split("-")[-2]) for item in one.containers()]
    return [name for _, name in sorted(rows)]


def began(one: Stack) -> list[str]:
    rows = [(item.started_at, item.name.split("-")[-2]) for item in one.containers()]
    return [name for _, name in sorted(rows)]


def test_mcpctl_stops_starts_and_restarts_a_stack_that_compose_made(stack: Make, drive: Drive) -> None:
    one = stack(CHAIN)
    one.compose("up", "-d")
    before = one.ids()
    assert steps(drive(one, "stop", "-t", "1"), "stop") == ["web", "api", "db"]
    assert (finished(one), set(states(one).values())) == (["web", "api", "db"], {"exited"})
    assert drive(one, "stop").json["data"]["steps"] == []

    left = drive(one, "start")
    assert steps(left, "start") == began(one) == ["db", "api", "web"]
    assert [item["healthy"] for item in left.json["data"]["services"]] == [True, True, True]
    assert drive(one, "start").json["data"]["steps"] == []

    left = drive(one, "restart", "-t", "1", "db")
    assert (steps(left, "stop"), steps(left, "start")) == (["api", "db"], ["db", "api"])
    assert began(one) == ["web", "db", "api"]
    assert one.ids() == before
    assert one.compose("ps", "--status", "running", "--services").stdout.split() == ["api", "db", "web"]


def test_compose_stops_starts_and_restarts_a_stack_that_mcpctl_made(stack: Make) -> None:
    one = stack(CHAIN)
    one.up()
    before = one.ids()
    one.compose("stop", "-t", "1")
    assert (finished(one), set(states(one).values())) == (["web", "api", "db"], {"exited"})
    one.compose("start")
    assert (began(one), set(states(one).values())) == (["db", "api", "web"], {"running"})
    one.compose("restart", "-t", "1", "db")
    assert began(one) == ["web", "db", "api"]
    rows = one.compose("ps", "-a", "--format", "{{.Service}} {{.State}}").stdout.split("\n")
    assert sorted(filter(None, rows)) == ["api running", "db running", "web running"]
    assert one.ids() == before
    assert one.up().steps == ()


def test_start_of_what_was_never_made_names_the_command_that_makes_it(stack: Make, drive: Drive) -> None:
    one = stack(CHAIN)
    left = drive(one, "start", "db")
    assert (left.exit_code, left.json["errors"][0]["hint"]) == (ExitCode.NOT_FOUND, "mcpctl up db")
    assert one.compose("start", "db", check=False).returncode == 1


def test_what_does_not_come_back_is_told_with_its_words(stack: Make, drive: Drive) -> None:
    one = stack(
        """
        services:
          a:
            image: IMAGE
            command: [sh, -c, "test ! -e /data/broken || { echo it is broken; exit 3; }; exec sleep 300"]
            init: true
            volumes: ["data:/data"]
        volumes: {data: {}}
        """
    )
    one.up()
    one.compose("exec", "-T", "a", "touch", "/data/broken")
    left = drive(one, "restart", "-t", "1", "--wait-timeout", "20")
    assert left.exit_code == ExitCode.UNHEALTHY
    (culprit,) = left.json["errors"][0]["details"]["containers"]
    assert (culprit["exit_code"], culprit["log"]) == (3, ["it is broken"])
    assert drive(one, "start", "--no-wait").exit_code == ExitCode.OK


BUILT = """
services:
  app: {build: ., command: [sleep, "300"], init: true}
  side: {image: IMAGE, command: [sleep, "300"], init: true}
"""


def test_rebuild_recreates_only_what_changed(stack: Make, drive: Drive) -> None:
    one = stack(BUILT)
    dockerfile = one.folder / "Dockerfile"
    dockerfile.write_text(f"FROM {one.image}\nENV ONE=1\n")
    one.up()
    before = one.ids()
    left = drive(one, "rebuild")
    assert [step["action"] for step in left.json["data"]["steps"]] == ["build image"]
    assert one.ids() == before

    dockerfile.write_text(f"FROM {one.image}\nENV ONE=2\n")
    assert drive(one, "rebuild", "--dry-run").json["data"]["steps"][0]["action"] == "build image"
    assert one.ids() == before
    drive(one, "rebuild", "-t", "1")
    after = one.ids()
    assert (after["side-1"], after["app-1"] != before["app-1"]) == (before["side-1"], True)
    assert "ONE=2" in one.one("app").raw["Config"]["Env"]

    dockerfile.write_text("FROM IMAGE\nRUN false\n".replace("IMAGE", one.image))
    assert drive(one, "rebuild").exit_code == ExitCode.FAILED
    assert one.ids() == after
