"""A copy of the project, brought up with the installed command under a name and ports of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.schema_check import check

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LABEL = "com.docker.compose.project"
COMMAND_SECONDS = 900


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Finished:
    """One run of the installed command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> dict[str, Any]:
        return self.document["data"]

    @property
    def document(self) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(self.stdout)
        except ValueError:
            pytest.fail(f"stdout is not one JSON document:\n{self.stdout}\n{self.stderr}")
        check(document["command"], document)
        return document


@dataclass(frozen=True)
class Stack:
    """One project on the real engine."""

    directory: Path
    project: str
    backend_port: int
    frontend_port: int
    environment: dict[str, str]

    @property
    def backend(self) -> str:
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def frontend(self) -> str:
        return f"http://127.0.0.1:{self.frontend_port}"

    @property
    def base_image(self) -> str:
        """Return what the images are built on: the file's default, or what quick-start noted."""
        lines = (self.directory / ".env").read_text(encoding="utf-8").splitlines()
        noted = [line.partition("=")[2].strip("'\"") for line in lines if line.startswith("MCP_BASE_IMAGE=")]
        return noted[0] if noted else "python:3.11-slim"

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def command(self, *words: str) -> list[str]:
        program = Path(sys.executable).with_name("mcpctl")
        return [str(program), "-C", str(self.directory), "-p", self.project, *words]

    def mcpctl(self, *words: str, env: dict[str, str] | None = None) -> Finished:
        done = subprocess.run(
            self.command(*words),
            env=self.environment | (env or {}),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Finished(done.returncode, done.stdout, done.stderr)


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout


def inspect(name: str) -> dict[str, Any]:
    document: list[dict[str, Any]] = json.loads(docker("inspect", name))
    return document[0]


def copy_project(target: Path) -> None:
    """Copy what git would hold of the working tree: no .env, no caches."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in names:
        source = ROOT / name
        if name.startswith(("tests/", "docs/")) or not source.is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / name)


def new_stack(base: Path) -> Stack:
    directory, home = base / "project", base / "home"
    directory.mkdir(parents=True)
    home.mkdir()
    copy_project(directory)
    backend, frontend = free_port(), free_port()
    kept = {
        key: value
        for key, value in os.environ.items()
        if key == "DOCKER_HOST" or not key.startswith(("AWS_", "MCP_", "COMPOSE_", "DOCKER_"))
    }
    environment = kept | {
        "HOME": str(home),
        "MCP_BACKEND_PORT": str(backend),
        "MCP_FRONTEND_PORT": str(frontend),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    return Stack(directory, f"mcpctl-test-{secrets.token_hex(4)}", backend, frontend, environment)


def remove(stack: Stack) -> None:
    """Take away what a test brought up, and prove that nothing is left."""
    stack.mcpctl("down", "--volumes", "--rmi", "local", "--remove-orphans", "--yes", "-t", "1")
    left = [
        docker("ps", "-aq", "--filter", f"label={LABEL}={stack.project}"),
        docker("volume", "ls", "-q", "--filter", f"label={LABEL}={stack.project}"),
        docker("network", "ls", "-q", "--filter", f"label={LABEL}={stack.project}"),
        docker("images", "-q", "--filter", f"label={LABEL}={stack.project}"),
    ]
    assert not "".join(left).strip(), f"leftovers of {stack.project}: {left}"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack that `quick-start` brought up in the sandbox."""
    made = new_stack(tmp_path_factory.mktemp("stack"))
    first = made.mcpctl("quick-start", "--yes", "--sandbox", "-o", "json")
    try:
        assert first.exit_code == 0, first.stdout + first.stderr
        (made.directory / "first.json").write_text(first.stdout, encoding="utf-8")
        yield made
    finally:
        remove(made)
