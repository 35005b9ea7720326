"""Figures are ratios against a named peer in the same run.

They are printed, and written to docs/performance.md when MCPCTL_WRITE_PERFORMANCE is set.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import docker, new_stack, remove
from tests.peers import compose_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Stack

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figure:
    """One row of the report."""

    work: str
    ours: str
    peer: str
    result: str
    limit: str
    kept: bool


@dataclass
class Report:
    """All figures of one run."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)

    def table(self) -> str:
        rows = ["| work | mcpctl | peer | result | at most | kept |", "|---|---|---|---|---|---|"]
        for row in self.figures:
            kept = "yes" if row.kept else "no"
            cells = (row.work, row.ours, row.peer, row.result, row.limit, kept)
            rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)


HEADING = """# Performance

Written by the benchmark itself (`mcpctl test benchmarks` and `mcpctl test engine26` with
`MCPCTL_WRITE_PERFORMANCE=1`): each figure is paired with its peer in the same run, on the same machine and
files. Machines are shared and noisy: compare ratios, not seconds.
"""
PAGE = ROOT / "docs" / "performance.md"


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    made = Report()
    yield made
    text = made.table()
    print(f"\n{text}")  # noqa: T201 - the report is the point of the run
    if os.environ.get("MCPCTL_WRITE_PERFORMANCE"):
        write_section(f"Docker Engine {docker('version', '--format', '{{.Server.Version}}').strip()}", text)


def write_section(title: str, table: str) -> None:
    """Put a run's table under its engine's title; what other engines gave stays."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    sections = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    when = f"Measured {datetime.now(UTC).date()} on {machine}."
    sections[title] = f"\n{when}\n\n{table}\n"
    body = "".join(f"\n## {name}\n{text.rstrip()}\n" for name, text in sorted(sections.items()))
    PAGE.write_text(HEADING + body, encoding="utf-8")


@pytest.fixture(scope="session")
def compose() -> Path:
    return compose_binary()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a project whose images are built and which is not up."""
    made = new_stack(tmp_path_factory.mktemp("benchmark"))
    try:
        first = made.mcpctl("quick-start", "--yes", "--sandbox", "-o", "json")
        assert first.exit_code == 0, first.stdout + first.stderr
        yield made
    finally:
        remove(made)
