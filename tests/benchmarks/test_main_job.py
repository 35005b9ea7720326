"""The main job's figures."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest
import urllib3

from tests.benchmarks.conftest import Figure, Report
from tests.benchmarks.measure import SLACK, seconds, succeed
from tests.e2e.conftest import docker, inspect

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.engine]


def test_up_from_stopped_to_healthy_beside_compose(built: Stack, compose: Path, report: Report) -> None:
    """The shipped file, 30 s health interval; the sandbox is on, so that all three services take part."""
    peer = [str(compose), "--project-directory", str(built.directory), "-p", built.project]
    down = [*peer, "down", "-t", "1"]

    def ours() -> float:
        succeed(down, built.environment)
        return seconds(lambda: succeed(built.command("up"), built.environment))

    mine = median(ours() for _ in range(5))
    succeed(down, built.environment)
    theirs = seconds(lambda: succeed([*peer, "up", "-d", "--wait"], built.environment))
    ratio = mine / theirs
    peer_time = f"`docker compose up -d --wait` {theirs:.2f} s"
    report.add(
        Figure(
            "`up`, images built, to all healthy",
            f"{mine:.2f} s",
            peer_time,
            f"{ratio:.3f} x",
            "0.06 x",
            ratio <= 0.06,
        )
    )
    assert ratio <= 0.06


def test_help_beside_a_bare_interpreter(report: Report) -> None:
    program = str(Path(sys.executable).with_name("mcpctl"))
    pairs = [
        (
            seconds(lambda: succeed([program, "--help"])),
            seconds(lambda: succeed([sys.executable, "-c", "pass"])),
        )
        for _ in range(15)
    ]
    mine, bare = (median(column) for column in zip(*pairs, strict=True))
    report.add(
        Figure(
            "`mcpctl --help`", f"{mine * 1000:.0f} ms", f"`python -c pass` {bare * 1000:.0f} ms",
            f"+{(mine - bare) * 1000:.0f} ms", "+150 ms", mine - bare <= 0.15,
        )
    )  # fmt: skip
    assert mine - bare <= 0.15 * SLACK


def test_a_second_quick_start(built: Stack, report: Report) -> None:
    words = ("quick-start", "--yes", "--sandbox")
    succeed(built.command(*words), built.environment)
    mine = median(seconds(lambda: succeed(built.command(*words), built.environment)) for _ in range(3))
    report.add(Figure("a second `quick-start`", f"{mine:.2f} s", "-", f"{mine:.2f} s", "3 s", mine <= 3))
    assert built.mcpctl(*words, "-o", "json").data["steps"] == []


def test_first_answer_after_the_container_starts(built: Stack, report: Report) -> None:
    """From `docker start` to the first 200 on the published port."""
    assert built.mcpctl("up").exit_code == 0
    container = built.container("backend")

    def once() -> float:
        docker("stop", "-t", "20", container)
        began = time.perf_counter()
        docker("start", container)
        while True:
            try:
                if urllib3.request("GET", f"{built.backend}/health", retries=False, timeout=1).status == 200:
                    return time.perf_counter() - began
            except urllib3.exceptions.HTTPError:
                assert time.perf_counter() - began < 60
                time.sleep(0.005)

    mine = median(once() for _ in range(5))
    report.add(
        Figure("service: first 200 after start", f"{mine:.2f} s", "-", f"{mine:.2f} s", "1.0 s", mine <= 1.0)
    )
    assert inspect(container)["State"]["Running"]


def test_idle_memory_of_the_service(built: Stack, report: Report) -> None:
    """Resident memory of all processes in the container, once it is ready and has answered a call."""
    assert built.mcpctl("up").exit_code == 0
    assert built.mcpctl("tools", "call", "aws/validate-credentials").exit_code == 0
    script = (
        "import glob, os\n"
        "total = 0\n"
        "for path in glob.glob('/proc/[0-9]*/status'):\n"
        "    if path.split('/')[2] != str(os.getpid()):\n"
        "        lines = dict(line.split(':', 1) for line in open(path) if ':' in line)\n"
        "        total += int(lines.get('VmRSS', '0 kB').split()[0])\n"
        "print(total)\n"
    )
    mib = int(docker("exec", built.container("backend"), "python3", "-c", script)) / 1024
    report.add(
        Figure(
            "service: idle memory", f"{mib:.0f} MiB", "-", f"{mib:.0f} MiB", "120 MB", mib * 1.048576 <= 120
        )
    )
    assert mib * 1.048576 <= 120


def test_size_of_the_image_above_its_base(built: Stack, report: Report) -> None:
    size = inspect(f"{built.project}-backend")["Size"] - inspect(built.base_image)["Size"]
    above = f"{size / 1e6:.0f} MB"
    report.add(Figure("image above its base", above, built.base_image, above, "90 MB", size <= 90e6))
    assert 0 < size <= 90e6
