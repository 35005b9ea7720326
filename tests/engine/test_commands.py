"""exec and run on a real engine, beside the real docker compose."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose import labels
from tests.docs.schema_check import check
from tests.engine.stack import SECONDS, Stack, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[[str], Stack]

PROJECT = """\
services:
  web:
    image: IMAGE
    init: true
    command: [sleep, "600"]
    environment: {GREETING: hello, KEPT: "yes"}
    depends_on: [db]
    ports: ["127.0.0.1::80"]
    stop_grace_period: 1s
    volumes: ["data:/data"]
  db:
    image: IMAGE
    init: true
    command: [sleep, "600"]
  bare: {image: IMAGE, profiles: [never], secrets: [word]}
secrets: {word: {environment: WORD}}
volumes: {data: {}}
"""
ENVIRON = {"HOME": "/nonexistent", "NO_COLOR": "1"}


def environ(stack: Stack) -> dict[str, str]:
    return {**ENVIRON, "PATH": os.environ["PATH"], "DOCKER_HOST": stack.engine.endpoint.url}


def mcpctl(stack: Stack, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mcpctl", "-p", stack.name, "-q", *words],
        cwd=stack.folder,
        env=environ(stack),
        input=given,
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )


def started(stack: Stack, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mcpctl", "-p", stack.name, "-q", *words],
        cwd=stack.folder,
        env=environ(stack),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def document(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    check(found["command"], found)
    assert found["exit_code"] == done.returncode
    return found


@pytest.fixture
def up(stack: Make) -> Stack:
    made = stack(PROJECT)
    made.up(wait=False)
    return made


CASES = (
    ("exec", "-T", "web", "sh", "-c", "echo out; echo err >&2; exit 3"),
    ("exec", "-T", "-e", "X=a b", "-e", "GREETING=", "web", "sh", "-c", "env | sort | grep -v HOSTNAME"),
    ("exec", "-T", "-u", "user", "-w", "/etc", "web", "sh", "-c", "id -u; pwd"),
    ("exec", "-T", "web", "echo", "-e", "-T", "--index", "-o", "json"),
    ("exec", "-T", "--index", "1", "web", "hostname", "-f"),
    ("exec", "-T", "web", "sh", "-c", "kill -TERM $$"),
    ("exec", "-T", "web", "sh", "-c", "exit 130"),
    ("exec", "-T", "web", "no-such-program"),
    ("exec", "-T", "web", "/etc/passwd"),
    ("exec", "-T", "-w", "/nowhere", "web", "true"),
    ("exec", "-T", "-u", "nobody-here", "web", "true"),
    ("exec", "-d", "web", "true"),
    ("run", "--rm", "-T", "web", "sh", "-c", "echo out; echo err >&2; exit 5"),
    ("run", "--rm", "-T", "-e", "X=y", "-u", "user", "-w", "/etc", "web", "sh", "-c", "id -u; pwd; echo $X"),
    ("run", "--rm", "-T", "--entrypoint", "echo 'a b'", "web"),
    ("run", "--rm", "-T", "web", "echo", "--rm", "-T"),
)


def test_output_and_exit_codes_are_those_of_compose(up: Stack) -> None:
    for words in CASES:
        theirs = up.compose("--progress", "quiet", *words, check=False)
        ours = mcpctl(up, *words)
        text = ours.stdout.decode().replace("\r\n", "\n")
        assert (ours.returncode, text) == (theirs.returncode, theirs.stdout), words
        if words[0] == "exec":
            assert ours.stderr.decode() == theirs.stderr, words


def test_any_bytes_pass_unchanged_and_the_end_of_input_is_handed_on(up: Stack) -> None:
    given = bytes(range(256)) * 40_000
    for words in (("exec", "web", "cat"), ("run", "--rm", "web", "cat")):
        done = mcpctl(up, *words, given=given)
        assert (done.returncode, done.stderr) == (0, b""), words
        assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(given).digest()


def test_a_command_that_ends_before_its_input_is_done(up: Stack) -> None:
    done = mcpctl(up, "exec", "web", "head", "-c", "3", given=b"abc" * 1_000_000)
    assert (done.returncode, done.stdout) == (0, b"abc")


def test_the_code_is_awaited_where_the_output_ends_first(up: Stack) -> None:
    done = mcpctl(up, "exec", "web", "sh", "-c", "exec >&- 2>&-; usleep 300000; exit 9")
    assert done.returncode == 9


def test_in_json_mode_a_command_leaves_one_document(up: Stack) -> None:
    for words in (("exec", "-o", "json"), ("run", "--rm", "-o", "json")):
        found = document(mcpctl(up, *words, "web", "sh", "-c", "echo out; echo err >&2; exit 5"))
        data = found["data"]
        assert (data["stdout"], data["stderr"], data["exit_code"]) == ("out\n", "err\n", 5)
        assert data["truncated"] is False
    cut = document(mcpctl(up, "exec", "-o", "json", "web", "sh", "-c", "yes | head -c 1500000; echo e >&2"))
    assert (len(cut["data"]["stdout"]), cut["data"]["stderr"]) == (1024 * 1024, "e\n")
    assert cut["data"]["truncated"]
    assert "cut" in cut["warnings"][0]


def test_what_does_not_run_is_not_found_with_the_command_that_mends_it(
    stack: Make, run: Callable[..., Any]
) -> None:
    down = stack(PROJECT)
    base = ("-C", down.folder, "-p", down.name)
    left = run(*base, "exec", "-o", "json", "web", "true")
    assert (left.exit_code, left.json["errors"][0]["hint"]) == (10, "mcpctl up web")
    assert run(*base, "exec", "-o", "json", "wep", "true").exit_code == 10
    shell = run(*base, "shell", "-o", "json")
    assert (shell.exit_code, shell.json["errors"][0]["code"]) == (2, "usage")
    assert "mcpctl exec -T" in shell.json["errors"][0]["hint"]


def test_ctrl_c_leaves_a_command_as_compose_does(up: Stack) -> None:
    program = started(up, "exec", "-T", "web", "sh", "-c", "echo on; exec sleep 600")
    assert program.stdout is not None
    assert program.stdout.readline() == b"on\n"
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=SECONDS) == (b"", b"")
    assert program.returncode == 130


def test_run_brings_up_what_is_needed_and_nothing_of_the_service_itself(stack: Make) -> None:
    made = stack(PROJECT)
    plan = document(mcpctl(made, "run", "--dry-run", "-o", "json", "web", "true"))["data"]["steps"]
    assert [step["action"] for step in plan] == [
        "create network",
        "create volume",
        "create container",
        "start container",
        "create container",
        "start container",
    ]
    assert made.containers() == ()
    assert mcpctl(made, "run", "--rm", "web", "touch", "/data/made").returncode == 0
    assert {item.name for item in made.containers()} == {f"{made.name}-db-1"}
    alone = stack(PROJECT)
    assert mcpctl(alone, "run", "--no-deps", "--rm", "web", "true").returncode == 0
    assert alone.containers() == ()


def test_secrets_are_written_into_a_oneoff(stack: Make) -> None:
    made = stack(PROJECT)
    (made.folder / ".env").write_text("WORD=opensesame\n")
    done = mcpctl(made, "--profile", "never", "run", "--rm", "bare", "cat", "/run/secrets/word")
    assert (done.returncode, done.stdout) == (0, b"opensesame"), done.stderr


def oneoff(stack: Stack) -> Any:
    return next((item for item in stack.containers() if item.labels[labels.ONEOFF] == "True"), None)


def comparable(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what two one-offs of one service must share: ids, names, times and slugs left out."""
    config = {key: value for key, value in raw["Config"].items() if key not in {"Hostname", "Labels"}}
    config["Env"] = sorted(config["Env"])
    own = {labels.SLUG, labels.CONFIG_HASH}  # neither looks at the hash of a one-off
    kept = {key: value for key, value in raw["Config"]["Labels"].items() if key not in own}
    host = {key: value for key, value in raw["HostConfig"].items() if key != "ContainerIDFile"}
    networks = {key: len(value["Aliases"]) for key, value in raw["NetworkSettings"]["Networks"].items()}
    return {"config": config, "labels": kept, "host": host, "networks": networks}


def test_a_oneoff_is_what_compose_makes(up: Stack) -> None:
    made: list[dict[str, Any]] = []
    for way in ("compose", "mcpctl"):
        words = ("run", "-d", "-T", "-e", "X=y", "-u", "user", "web", "sleep", "600")
        if way == "compose":
            up.compose(*words)
        else:
            assert mcpctl(up, *words).returncode == 0
        found = oneoff(up)
        slug = found.labels[labels.SLUG]
        assert (found.name, len(slug)) == (f"{up.name}-web-run-{slug[:12]}", 64)
        made.append(comparable(found.raw))
        up.engine.remove_container(found.id, force=True)
    theirs, ours = made
    for key, value in theirs.items():
        assert ours[key] == value, key


def test_the_oneoffs_of_each_are_seen_and_taken_away_by_the_other(up: Stack) -> None:
    assert mcpctl(up, "run", "-d", "--name", f"{up.name}-mine", "web", "sleep", "600").returncode == 0
    listed = up.compose("ps", "-a", "--format", "{{.Name}}").stdout.split()
    assert f"{up.name}-mine" in listed
    assert up.compose("exec", "-T", "web", "echo", "hi").stdout == "hi\n"
    up.compose("down", "-t", "0", "-v", "--remove-orphans")
    assert up.containers() == ()
    up.compose("run", "-d", "web", "sleep", "600")
    up.down(volumes=True)
    assert up.containers() == ()


@pytest.mark.parametrize(
    ("number", "heeds", "code"), [(signal.SIGINT, True, 7), (signal.SIGTERM, False, 137)]
)
def test_a_signal_goes_to_the_command_and_rm_leaves_nothing(
    number: signal.Signals, heeds: bool, code: int, up: Stack
) -> None:
    trap = "trap 'exit 7' INT;" if heeds else "trap '' TERM;"
    loop = f"{trap} echo on; while :; do usleep 50000; done"
    program = started(up, "run", "--rm", "-T", "web", "sh", "-c", loop)
    assert program.stdout is not None
    assert program.stdout.readline() == b"on\n"
    program.send_signal(number)
    program.communicate(timeout=SECONDS)
    assert program.returncode == code
    eventually(lambda: oneoff(up) is None, "the one-off container goes")


def test_a_command_that_cannot_be_run_leaves_nothing_and_says_126_or_127(up: Stack) -> None:
    (up.folder / ".env").write_text("WORD=opensesame\n")
    for command, code in (("no-such-program", 127), ("/etc/passwd", 126)):
        done = document(mcpctl(up, "--profile", "never", "run", "--rm", "-o", "json", "bare", command))
        assert (done["exit_code"], done["errors"][0]["code"]) == (code, "engine_failed")
        assert oneoff(up) is None
