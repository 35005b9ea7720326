"""The real docker compose."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.load import LoadRequest
from tests.counts import COUNTS
from tests.peers import compose_binary

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping


@dataclass(frozen=True)
class Refusal:
    """What compose printed when it refused a project."""

    text: str


@dataclass(frozen=True)
class Compose:
    """Runs the real docker compose on the project that a request describes."""

    binary: str
    seen: Counter[str] = field(default_factory=lambda: COUNTS)

    def config(self, request: LoadRequest) -> dict[str, Any] | Refusal:
        done = self._run(request, "config", "--format", "json")
        return json.loads(done.stdout) if done.returncode == 0 else Refusal(done.stderr)

    def hashes(self, request: LoadRequest) -> dict[str, str]:
        done = self._run(request, "config", "--hash", "*")
        assert done.returncode == 0, done.stderr
        return dict(line.split() for line in done.stdout.splitlines())

    def _run(self, request: LoadRequest, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.binary, *flags(request), *words],
            cwd=request.working_directory,
            env=dict(request.environ),
            capture_output=True,
            text=True,
            check=False,
        )


def flags(request: LoadRequest) -> list[str]:
    found: list[str] = []
    for flag, given in (
        ("-f", request.files),
        ("--env-file", request.env_files),
        ("--profile", request.profiles),
    ):
        for value in given:
            found += [flag, value]
    if request.project_directory:
        found += ["--project-directory", str(request.project_directory)]
    if request.project_name:
        found += ["-p", request.project_name]
    return found


@pytest.fixture(scope="session")
def real_compose() -> str:
    """Models and hashes differ from release to release; mcpctl follows the rules of this one."""
    return str(compose_binary())


@pytest.fixture(scope="session")
def compose(real_compose: str) -> Compose:
    return Compose(real_compose)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(home: Path) -> Mapping[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"]}
