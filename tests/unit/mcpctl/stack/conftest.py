"""A project from a few lines of YAML, and an engine in memory to hold it against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.types import LogLine
from mcpctl.stack import diagnosis, readiness
from tests.fakes.engine import FakeEngine
from tests.unit.mcpctl.stack.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mcpctl.engine.types import ExecResult


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()

    def run(_engine: object, container: str, argv: Sequence[str], *, timeout: float) -> ExecResult:
        assert timeout > 0
        return fake.probe(container, argv)

    def logs(_engine: object, container: str, *, tail: int) -> list[LogLine]:
        return [LogLine(container, "stderr", "2024-05-06T07:08:09.123456789Z", f"line {tail}")]

    monkeypatch.setattr(readiness, "run_in_container", run)
    monkeypatch.setattr(diagnosis, "logs", logs)
    monkeypatch.setattr(readiness, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(readiness, "LONGEST_PAUSE", 0.002)
    return fake


@pytest.fixture
def world(engine: FakeEngine, tmp_path: Path) -> World:
    return World(engine, tmp_path)
