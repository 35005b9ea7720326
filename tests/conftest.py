"""Isolation for every test, and the way in: `run(argv)` is the whole command line, in this process."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.counts import COUNTS, told

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent

# The same cases in every run, so that a failure comes back; HYPOTHESIS_PROFILE=search looks further.
settings.register_profile("repeat", derandomize=True, database=None, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

KEPT = {"PATH", "LANG", "LC_ALL", "TMPDIR", "CI"}
"""What tests see of the machine's environment, beside what names its certificates and package mirrors."""
KEPT_PREFIXES = ("MCPCTL_", "SSL_", "REQUESTS_CA", "CURL_CA", "PIP_", "NODE_EXTRA_CA", "npm_config", "UV_")


@dataclass(frozen=True)
class Outcome:
    """What one invocation left."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """Read stdout as the one document that it must be."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


NEED_ENGINE = ("engine", "e2e", "benchmark")
"""The marks of tests that work on an engine: on the one that ``DOCKER_HOST`` names, if it is set."""


@pytest.fixture(autouse=True)
def _isolated(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each test an empty home and an environment without AWS, Docker and compose settings."""
    kept = KEPT
    if any(request.node.get_closest_marker(mark) for mark in NEED_ENGINE):
        kept = KEPT | {"DOCKER_HOST"}
    for name in list(os.environ):
        if name not in kept and not name.startswith(KEPT_PREFIXES) and not name.startswith("PYTEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs the command line as ``mcpctl`` would."""
    from mcpctl.main import main

    def invoke(*argv: str | Path) -> Outcome:
        capfd.readouterr()
        code = main([str(word) for word in argv])
        captured = capfd.readouterr()
        return Outcome(int(code), captured.out, captured.err)

    return invoke


TOO_NEW = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a newer engine than the one that answers."""
    releases = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("engine_from"))}
    found = _version() if releases else ""
    late = [item for item, release in releases.items() if found and int(found.split(".")[0]) < release]
    if late:
        items[:] = [item for item in items if item not in late]
        config.hook.pytest_deselected(items=late)
        named = ", ".join(sorted({item.name.partition("[")[0] for item in late}))
        config.stash[TOO_NEW] = f"{len(late)} not for Docker Engine {found}, run by `test engine26`: {named}"


def _version() -> str:
    """Return the engine's version, or nothing where none answers: the first test then says so."""
    from mcpctl.engine.client import Engine
    from mcpctl.engine.endpoint import discover
    from mcpctl.errors import EngineUnreachable

    try:
        return Engine(discover(dict(os.environ))).info().version
    except EngineUnreachable:
        return ""


OURS = "mcpctl-test-"
"""How everything starts that a test makes on an engine: project names, containers, volumes, images."""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker of pytest-xdist compared."""
    COUNTS.update(getattr(node, "workeroutput", {}).get("compared", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell how much was compared with docker compose, and what was left out and where it runs."""
    if COUNTS:
        terminalreporter.write_line(f"compared with docker compose: {told()}")
    if too_new := config.stash.get(TOO_NEW, ""):
        terminalreporter.write_line(too_new)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when tests leave something on the engine; without an engine there is nothing to leave."""
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["compared"] = dict(COUNTS)  # type: ignore[attr-defined] - pytest-xdist's
    left = _leftovers()
    if left and not hasattr(session.config, "workerinput"):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"left on the engine by tests: {', '.join(left)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _leftovers() -> list[str]:
    listings = (
        ["ps", "-a", "--format", "{{.Names}}"],
        ["volume", "ls", "--format", "{{.Name}}"],
        ["network", "ls", "--format", "{{.Name}}"],
        ["images", "--format", "{{.Repository}}"],
    )
    found: list[str] = []
    for words in listings:
        try:
            done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=30)
        except FileNotFoundError:
            return []
        found += [name for name in done.stdout.split() if name.startswith(OURS)]
    return sorted(set(found))
