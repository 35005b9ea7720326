"""stats, top, events and inspect on a real engine."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.output.monitoring import binary, decimal
from tests.docs.schema_check import check, validate
from tests.engine.pty_session import Screen
from tests.engine.stack import SECONDS, Stack
from tests.engine.test_commands import document, environ, mcpctl, started

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[str], Stack]

PROJECT = """\
services:
  web:
    image: IMAGE
    init: true
    command: [sh, -c, "dd if=/dev/zero of=/tmp/x bs=1M count=3 2>/dev/null; exec sleep 600"]
    environment: {DB_PASSWORD: hunter2, LEVEL: info}
    labels: {example.token: hunter3}
  other: {image: IMAGE, init: true, command: [sleep, "600"]}
  idle: {image: IMAGE, scale: 0}
"""


@pytest.fixture
def up(stack: Make) -> Stack:
    made = stack(PROJECT)
    made.up(wait=False)
    return made


def test_usage_is_what_docker_stats_says(up: Stack) -> None:
    names = [item.name for item in up.containers()]
    done = subprocess.run(
        ["docker", "stats", "--no-stream", "--format", "{{json .}}", *names],
        env=environ(up),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    theirs = {row["Name"]: row for row in map(json.loads, done.stdout.splitlines())}
    found = document(mcpctl(up, "stats", "-o", "json"))["data"]["containers"]
    assert [item["container"] for item in found] == names
    for item in found:
        row = theirs[item["container"]]
        assert str(item["pids"]) == row["PIDs"]
        assert f"/ {binary(item['memory_limit_bytes'])}" in row["MemUsage"]
        assert (
            row["BlockIO"] == f"{decimal(item['block_read_bytes'])} / {decimal(item['block_written_bytes'])}"
        )
        assert 0 < item["memory_bytes"] < 50_000_000
    one = document(mcpctl(up, "stats", "-o", "json", "web"))["data"]["containers"]
    assert [item["service"] for item in one] == ["web"]


def test_what_does_not_run_has_no_usage(up: Stack) -> None:
    for command in ("stats", "top"):
        left = document(mcpctl(up, command, "-o", "json", "idle"))
        assert (left["exit_code"], left["errors"][0]["hint"]) == (10, "mcpctl up idle")


def test_the_live_table_is_drawn_in_place_and_ends_with_ctrl_c(up: Stack) -> None:
    screen = Screen(["-p", up.name, "stats"], up.folder, environ(up))
    try:
        screen.read_until("%")
        screen.read_until("\x1b[")  # the cursor goes back to draw over the last table
        screen.read_until("web-1")
        screen.type("\x03")
        assert screen.leave() == 130
        assert "error" not in screen.text
        assert screen.modes() == screen.before
    finally:
        screen.close()


def test_processes_are_those_that_compose_lists(up: Stack) -> None:
    found = document(mcpctl(up, "top", "-o", "json"))["data"]["containers"]
    theirs = up.compose("top").stdout
    for item in found:
        assert item["container"] in theirs
        pids = [row[item["titles"].index("PID")] for row in item["processes"]]
        assert pids
        assert all(pid in theirs for pid in pids)
    assert "sleep 600" in mcpctl(up, "top", "web").stdout.decode()


def test_events_are_those_of_the_project_and_end_at_their_time(up: Stack, stack: Make) -> None:
    foreign = stack("services: {web: {image: IMAGE, command: [sleep, '600']}}\n")
    foreign.up(wait=False)
    up.engine.stop(up.one("web").id, 0)
    words = ("events", "-o", "json", "--since", "5m", "--until", "0s")
    done = mcpctl(up, *words)
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    for event in found:
        validate("event", event)
    names = {event["attributes"]["name"] for event in found}
    assert names == {item.name for item in up.containers()}
    actions = [event["action"] for event in found if event["service"] == "web"]
    assert actions[:2] == ["create", "start"]
    assert set(actions[2:]) - {"kill"} == {"die", "stop"}, (
        "newer engines tell the last two the other way round"
    )
    only = mcpctl(up, *words, "other").stdout.splitlines()
    assert {json.loads(line)["service"] for line in only} == {"other"}
    assert f"{up.name}-web-1 die" in mcpctl(up, "events", "--since", "5m", "--until", "0s").stdout.decode()


def test_events_come_live_until_ctrl_c(up: Stack) -> None:
    program = started(up, "events", "-o", "json", "--since", "5m")
    assert program.stdout is not None
    assert json.loads(program.stdout.readline())["action"] == "create"
    up.engine.stop(up.one("other").id, 0)
    last = {"die", "stop"}  # engines differ in which of them comes first
    while last:
        last.discard(json.loads(line := program.stdout.readline())["action"])
    program.send_signal(signal.SIGINT)
    rest, told = program.communicate(timeout=SECONDS)
    assert (program.returncode, rest, told) == (130, b"", b"")
    assert json.loads(line)["service"] == "other"


def test_inspect_is_the_engines_document_without_its_secrets(up: Stack, run: Callable[..., Any]) -> None:
    base = ("-C", up.folder, "-p", up.name, "inspect")
    left = run(*base, "web", "-o", "json")
    check("inspect", left.json)
    (item,) = left.json["data"]["containers"]
    engines = up.engine.container(item["container"]).raw
    assert {**item["inspect"], "Config": None} == {**engines, "Config": None}
    assert "hunter" not in left.stdout
    assert "DB_PASSWORD=***" in item["inspect"]["Config"]["Env"]
    assert "LEVEL=info" in item["inspect"]["Config"]["Env"]
    shown = run(*base, "web", "-o", "json", "--show-secrets").json["data"]["containers"][0]
    assert shown["inspect"]["Config"] == engines["Config"]
    text = run(*base).stdout
    assert "hunter" not in text
    for wanted in (up.image, f"{up.name}-web-1", f"{up.name}-other-1", "sleep 600", "no healthcheck"):
        assert wanted in text
    assert run(*base, "idle", "-o", "json").exit_code == 10


def test_security_names_what_to_set_and_fails_until_it_is(stack: Make, run: Callable[..., Any]) -> None:
    made = stack(PROJECT)
    made.up(wait=False)
    base = ("-C", made.folder, "-p", made.name, "inspect", "--security")
    left = run(*base, "web", "-o", "json")
    check("inspect", left.json)
    assert (left.exit_code, left.json["data"]["passed"]) == (1, False)
    (item,) = left.json["data"]["containers"]
    bad = {found["name"] for found in item["checks"] if not found["ok"]}
    assert bad >= {"user", "read-only", "capabilities", "memory", "pids", "healthcheck", "secrets"}
    assert "cap_drop: [ALL]" in run(*base, "web").stdout
    made.write(HARDENED)
    made.up(wait=False)
    left = run(*base, "-o", "json")
    assert (left.exit_code, left.json["data"]["passed"]) == (0, True), left.stdout


HARDENED = """\
services:
  web:
    image: IMAGE
    init: true
    command: [sleep, "600"]
    user: "1000"
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ports: ["127.0.0.1::80"]
    healthcheck: {test: [CMD, "true"]}
    deploy: {resources: {limits: {memory: 32m, cpus: "0.5", pids: 16}}}
  other: {image: IMAGE, scale: 0}
"""
