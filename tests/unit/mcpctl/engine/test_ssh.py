"""ssh as a way to an engine, with a pretended ssh program: what it is asked, and how it fails."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.exceptions import HTTPError

from mcpctl.engine import connection
from mcpctl.engine.client import Engine
from mcpctl.engine.ssh import SshPool, command_for
from mcpctl.engine.types import Endpoint
from mcpctl.errors import EngineUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Pretend = Callable[[str], Path]

THERE = Endpoint("ssh://me@far:2222", "DOCKER_HOST")
OPTIONS = ("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
ENGINE = """\
import sys
while line := sys.stdin.readline():
    if line.strip():
        continue
    sys.stdout.write("HTTP/1.1 200 OK\\r\\nApi-Version: 1.43\\r\\nContent-Length: 2\\r\\n\\r\\nOK")
    sys.stdout.flush()
"""


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Return a function that puts a script in the place of ssh; it notes its process and its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(script: str) -> Path:
        asked = tmp_path / "asked"
        program = folder / "ssh"
        program.write_text(f'#!/bin/sh\necho $$ "$@" >> {asked}\n{script}\n')
        program.chmod(0o755)
        return asked

    return make


def refused(endpoint: Endpoint = THERE) -> EngineUnreachable:
    with pytest.raises(EngineUnreachable) as caught:
        Engine(endpoint).info()
    return caught.value


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ssh://far", ("--", "far", "docker", "system", "dial-stdio")),
        (
            "ssh://me@far:2222",
            ("-l", "me", "-p", "2222", "--", "far", "docker", "system", "dial-stdio"),
        ),
        (
            "ssh://far/run/user/1000/docker.sock",
            ("--", "far", "docker", "--host", "unix:///run/user/1000/docker.sock", "system", "dial-stdio"),
        ),
        ("ssh://[fd00::1]:22", ("-p", "22", "--", "fd00::1", "docker", "system", "dial-stdio")),
    ],
)
def test_ssh_is_asked_for_what_the_docker_cli_asks_for_and_never_prompts(
    url: str, words: tuple[str, ...]
) -> None:
    assert command_for(url) == ("ssh", *OPTIONS, *words)


def test_one_link_serves_many_calls_and_ends_with_the_client(pretend: Pretend, tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(ENGINE)
    asked = pretend(f"exec {sys.executable} {tmp_path}/engine.py")
    engine = Engine(THERE)
    assert engine.api_version == (1, 43)
    for _ in range(3):
        engine.api.ping()
    (line,) = asked.read_text().splitlines()
    process, *words = line.split()
    assert tuple(words) == command_for(THERE.url)[1:]
    engine.api.close()
    assert not is_alive(int(process))


def test_calls_at_the_same_time_have_a_link_each(pretend: Pretend, tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(ENGINE)
    pretend(f"exec {sys.executable} {tmp_path}/engine.py")
    engine, answers = Engine(THERE), list[Any]()
    assert engine.api_version == (1, 43)
    threads = [threading.Thread(target=lambda: answers.append(engine.api.ping())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.api.close()
    assert answers == [True] * 6


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_without_an_ssh_program_that_is_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refused()
    assert error.message.endswith("at ssh://me@far:2222 (DOCKER_HOST): ssh: there is no ssh program here")
    assert error.hint == "apt-get install openssh-client"


@pytest.mark.parametrize(
    ("said", "code", "hint"),
    [
        ("Host key verification failed.", 255, "ssh -p 2222 me@far, compare the fingerprint and answer yes"),
        ("me@far: Permission denied (publickey,password).", 255, "ssh-add, or ssh-copy-id -p 2222 me@far"),
        ("ssh: Could not resolve hostname far: Unknown", 255, "ssh -p 2222 me@far docker version"),
        ("sh: 1: docker: not found", 127, "install the Docker CLI there; ssh -p 2222 me@far docker version"),
        (
            "dial unix /var/run/docker.sock: connect: permission denied",
            1,
            "ssh -p 2222 me@far 'sudo usermod -aG docker $USER'",
        ),
    ],
)
def test_the_words_of_ssh_and_of_the_far_side_are_told(
    pretend: Pretend, said: str, code: int, hint: str
) -> None:
    pretend(f"echo '@@@ WARNING @@@' >&2; echo '{said}' >&2; exit {code}")
    error = refused()
    assert error.message.endswith(f": ssh: {said}")
    assert error.hint == hint
    assert error.details == {"endpoint": "ssh://me@far:2222", "chosen_by": "DOCKER_HOST"}


def test_an_ssh_that_hangs_is_given_up_and_does_not_stay_behind(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SSH_SECONDS", 0.5)
    asked = pretend("exec sleep 300")
    error = refused()
    assert "gave no answer within 0.5 s" in error.message
    assert error.hint == "ssh -p 2222 me@far docker version"
    assert not is_alive(int(asked.read_text().split()[0]))


def test_a_later_link_that_hangs_is_ended_while_the_client_lives_on(pretend: Pretend) -> None:
    asked = pretend("exec sleep 300")
    pool = SshPool(command_for(THERE.url))
    with pytest.raises(HTTPError):
        pool.urlopen("GET", "/_ping", timeout=0.5, retries=False)
    assert not is_alive(int(asked.read_text().split()[0]))
    pool.close()


def test_an_ssh_that_is_silent_about_its_end_is_no_engine_either(pretend: Pretend) -> None:
    pretend("exit 0")
    assert "ssh://me@far:2222 (DOCKER_HOST)" in refused().message
