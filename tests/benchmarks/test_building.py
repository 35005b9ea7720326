"""Sending a build context of 20,000 files, 500 MB, beside the SDK's own `images.build`.

Each side runs in a process of its own. Once into a socket that only reads, which measures the client alone,
with every file sent; once into the real engine's own builder, whose unpacking is part of the time.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.engine.endpoint import discover
from tests.benchmarks.conftest import Figure, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.benchmark, pytest.mark.engine]

FILES = 20_000
RUNS = 3  # a build by the engine takes ten seconds
TAG = "mcpctl-test-context"
OURS = """
from mcpctl.engine.build import build
from mcpctl.engine.client import Engine
from mcpctl.engine.recipe import read_recipe
from mcpctl.engine.types import BuildSpec, Endpoint
engine = Engine(Endpoint(url, "a benchmark"))
engine.api
began = time.perf_counter()
spec = BuildSpec(tag=tag, context=folder, dockerfile=dockerfile)
build(engine, spec, read_recipe(engine, folder, dockerfile, {}), lambda line: None)
"""
THEIRS = """
import docker
client = docker.DockerClient(base_url=url, timeout=600)
began = time.perf_counter()
client.images.build(path=folder, dockerfile=dockerfile, tag=tag, rm=True, forcerm=True)
"""
FRAME = """
import json, sys, time
url, folder, dockerfile, tag = sys.argv[1:]
{work}
seconds = time.perf_counter() - began
# not ru_maxrss, which the kernel hands on from the process that started this one
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([seconds, int(peak.split()[1]) * 1024]))
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("context")
    chance = random.Random(20)  # noqa: S311 - content, no secret
    block = chance.randbytes(1 << 17)
    for number in range(FILES):
        folder = root / f"folder{number // 200:03}"
        folder.mkdir(exist_ok=True)
        at = chance.randrange(1 << 16)
        (folder / f"file{number:05}").write_bytes(block[at : at + chance.randrange(50_000)])
    (root / "one-file").write_text("one")
    (root / "Dockerfile").write_text("FROM scratch\nCOPY one-file /\n")
    (root / "All.Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return root


@contextmanager
def sink(folder: Path) -> Iterator[str]:
    """Answer as an engine whose builder takes everything and does nothing."""
    path = folder / "sink.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        yield f"unix://{path}"
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as reader:
        while line := reader.readline():
            target = line.split()[1].decode()
            headers = {key.lower(): value.strip() for key, _, value in _headers(reader)}
            _drop(reader, headers)
            body = json.dumps(_reply(target)).encode() + b"\n"
            head = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(head + body)


def _headers(reader: Any) -> Iterator[tuple[str, str, str]]:
    while line := reader.readline().decode().strip():
        yield line.partition(":")


def _drop(reader: Any, headers: dict[str, str]) -> None:
    left = int(headers.get("content-length", 0))
    if headers.get("transfer-encoding") == "chunked":
        while size := int(reader.readline(), 16):
            _skip(reader, size)
            reader.readline()
        reader.readline()
    _skip(reader, left)


def _skip(reader: Any, count: int) -> None:
    while count:
        count -= len(reader.read(min(count, 1 << 20)))


def _reply(target: str) -> dict[str, Any]:
    if "/build?" in target:
        return {"stream": "Successfully built 0123456789ab\n"}
    if target.endswith("/version"):
        return {"ApiVersion": "1.41", "Version": "20.10.24"}
    return {"Id": "sha256:0123456789ab", "RepoTags": [], "Config": {}, "Size": 0}


def once(work: str, *words: str) -> tuple[float, int]:
    done = subprocess.run(
        [sys.executable, "-c", FRAME.format(work=work), *words],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def medians(url: str, context: Path, dockerfile: str) -> tuple[float, float, int]:
    """Return our seconds, theirs, and our highest memory; the runs alternate."""
    mine: list[tuple[float, int]] = []
    theirs: list[float] = []
    for _ in range(RUNS):
        theirs.append(once(THEIRS, url, str(context), dockerfile, f"{TAG}:theirs")[0])
        mine.append(once(OURS, url, str(context), dockerfile, f"{TAG}:ours"))
    return median(row[0] for row in mine), median(theirs), max(row[1] for row in mine)


def judge(report: Report, work: str, figures: tuple[float, float, int]) -> None:
    mine, theirs, memory = figures
    ratio = mine / theirs
    peer = f"docker-py `images.build` {theirs:.2f} s"
    report.add(Figure(work, f"{mine:.2f} s", peer, f"{ratio:.3f} x", "0.5 x", ratio <= 0.5))
    report.add(
        Figure(
            f"memory: {work}",
            f"{memory / 1e6:.0f} MB",
            "-",
            f"{memory / 1e6:.0f} MB",
            "60 MB",
            memory <= 60e6,
        )
    )
    assert ratio <= 0.5
    assert memory <= 60e6


def test_every_file_of_a_context_into_a_reader(context: Path, tmp_path: Path, report: Report) -> None:
    with sink(tmp_path) as url:
        figures = medians(url, context, "All.Dockerfile")
    judge(
        report, "sending a context of 20,000 files, 500 MB (all of it; the engine's part left out)", figures
    )


def test_a_context_of_which_one_file_is_copied_into_the_engine(
    context: Path, report: Report, request: pytest.FixtureRequest
) -> None:
    url = discover(dict(os.environ)).url
    clean: Callable[[], object] = lambda: subprocess.run(  # noqa: E731 - a finalizer
        ["docker", "rmi", "-f", f"{TAG}:ours", f"{TAG}:theirs"], capture_output=True, check=False
    )
    request.addfinalizer(clean)
    work = "building from a context of 20,000 files, 500 MB, one of them copied"
    judge(report, work, medians(url, context, "Dockerfile"))
