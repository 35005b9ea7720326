"""The stack's figures, each beside the real `docker compose` on the same file in the same run."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.conftest import Figure, Report
from tests.benchmarks.measure import SLACK, seconds, succeed
from tests.conftest import OURS
from tests.engine.conftest import root_file_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.engine]

ROUNDS = 5
SERVICES = 40


@dataclass(frozen=True)
class Pair:
    """The same work by mcpctl and by its peer, alternating: medians of seconds."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def alternate(
    ours: list[str],
    theirs: list[str],
    environment: dict[str, str],
    before: Callable[[int], object] = lambda _round: None,
) -> Pair:
    """Time both commands in turn; ``before`` prepares each run and is not counted."""
    pairs: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        times: list[float] = []
        for at, command in enumerate((ours, theirs)):
            before(2 * number + at)
            times.append(seconds(lambda command=command: succeed(command, environment)))
        pairs.append((times[0], times[1]))
    mine, peer = (median(column) for column in zip(*pairs, strict=True))
    return Pair(mine, peer)


def note(report: Report, work: str, peer: str, pair: Pair, limit: float) -> None:
    report.add(
        Figure(
            work,
            f"{pair.ours:.2f} s",
            f"`{peer}` {pair.theirs:.2f} s",
            f"{pair.ratio:.2f} x",
            f"{limit} x",
            pair.ratio <= limit,
        )
    )


def peer_of(stack: Stack, compose: Path) -> list[str]:
    return [str(compose), "--project-directory", str(stack.directory), "-p", stack.project]


def piped(stack: Stack) -> dict[str, str]:
    """Return the environment of a program that reads the answer: no width of a terminal."""
    return {key: value for key, value in stack.environment.items() if key != "COLUMNS"}


def test_up_with_nothing_to_do(built: Stack, compose: Path, report: Report) -> None:
    """Both prove health: the peer's `--wait` is mcpctl's default."""
    theirs = [*peer_of(built, compose), "up", "-d", "--wait"]
    succeed(
        theirs, built.environment
    )  # the engine's own checks must have passed once, or the peer waits for them
    assert built.mcpctl("up", "-o", "json").data["steps"] == []
    pair = alternate(built.command("up"), theirs, piped(built))
    note(report, "`up` with nothing to do, health verified", "docker compose up -d --wait", pair, 0.5)
    assert pair.ratio <= 0.5


def test_status(built: Stack, compose: Path, report: Report) -> None:
    assert built.mcpctl("up").exit_code == 0
    pair = alternate(built.command("status"), [*peer_of(built, compose), "ps"], piped(built))
    note(report, "`status`", "docker compose ps", pair, 4)
    report.add(Figure("`status`", f"{pair.ours:.2f} s", "-", f"{pair.ours:.2f} s", "0.3 s", pair.ours <= 0.3))
    assert pair.ratio <= 4 * SLACK
    assert pair.ours <= 0.3 * SLACK


OVERRIDE = """services:
  aws-sandbox: {healthcheck: {start_interval: 1s}}
  backend: {healthcheck: {start_interval: 1s}}
  frontend: {healthcheck: {start_interval: 1s}}
"""


@pytest.mark.engine_from(25)
def test_up_where_the_engine_checks_every_second(built: Stack, compose: Path, report: Report) -> None:
    """The shipped file with `start_interval: 1s`, which engines know from 25 on: the peer's best case."""
    override = built.directory / "docker-compose.override.yml"
    override.write_text(OVERRIDE, encoding="utf-8")
    peer = peer_of(built, compose)

    def stopped(_round: int) -> None:
        succeed([*peer, "down", "-t", "1"], built.environment)

    try:
        pair = alternate(built.command("up"), [*peer, "up", "-d", "--wait"], piped(built), before=stopped)
        stopped(0)
    finally:
        override.unlink()
    note(report, "cold `up` with `start_interval: 1s`", "docker compose up -d --wait", pair, 0.6)
    assert pair.ratio <= 0.6


def test_down(built: Stack, compose: Path, report: Report) -> None:
    peer = peer_of(built, compose)

    def running(_round: int) -> None:
        succeed(built.command("up"), built.environment)

    pair = alternate(
        built.command("down", "-t", "1"), [*peer, "down", "-t", "1"], piped(built), before=running
    )
    note(report, "`down -t 1`", "docker compose down -t 1", pair, 1.0)
    assert pair.ratio <= 1.0 * SLACK


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a project of forty services that do nothing and depend on nothing."""
    image = f"mcpctl-test/benchmark:{secrets.token_hex(4)}"
    subprocess.run(
        ["docker", "import", "-", image], input=root_file_system(), check=True, capture_output=True
    )
    project = f"{OURS}{secrets.token_hex(4)}"
    services = "".join(
        f"  s{number:02}:\n    image: {image}\n    command: [sleep, '3600']\n    init: true\n"
        + ('    environment: {ROUND: "${ROUND:-0}"}\n' if number == 0 else "")
        for number in range(SERVICES)
    )
    (tmp_path / "compose.yaml").write_text(f"name: {project}\nservices:\n{services}", encoding="utf-8")
    try:
        yield tmp_path
    finally:
        own = ["--filter", f"label=com.docker.compose.project={project}", "-q"]
        for kind, remove in ((["ps", "-a"], ["rm", "-f"]), (["network", "ls"], ["network", "rm"])):
            found = subprocess.run(
                ["docker", *kind, *own], capture_output=True, text=True, check=True
            ).stdout.split()
            if found:
                subprocess.run(["docker", *remove, *found], capture_output=True, check=True)
        subprocess.run(["docker", "rmi", image], capture_output=True, check=True)


def test_up_of_forty_services_of_which_one_changed(many: Path, compose: Path, report: Report) -> None:
    mcpctl = [str(Path(sys.executable).with_name("mcpctl")), "-C", str(many), "up", "-t", "1"]
    theirs = [str(compose), "--project-directory", str(many), "up", "-d", "--wait", "-t", "1"]
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    succeed(theirs, environment)
    made_by: list[str] = []

    def change(number: int) -> None:
        environment["ROUND"] = str(number + 1)
        made_by.append(environment["ROUND"])

    pair = alternate(mcpctl, theirs, environment, before=change)
    note(report, f"`up` of {SERVICES} services, 1 changed", "docker compose up -d --wait", pair, 0.8)
    assert len(made_by) == 2 * ROUNDS
    assert pair.ratio <= 0.8
