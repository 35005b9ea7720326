"""A real engine, a tiny image made on the spot, stacks of their own name, and nothing left at the end."""

from __future__ import annotations

import io
import os
import secrets
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.engine.client import Engine
from mcpctl.engine.endpoint import discover
from mcpctl.errors import EngineUnreachable
from tests import peers
from tests.docs.schema_check import check
from tests.engine.stack import PREFIX, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Outcome

RUN = secrets.token_hex(4)
IMAGE = f"mcpctl-test/busybox:{RUN}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder: all of it needs the engine."""
    for item in items:
        if "tests/engine" in item.path.as_posix():
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Return the machine's engine; without one the run fails, with the command that mends it."""
    found = Engine(discover(dict(os.environ)))
    try:
        found.info()
    except EngineUnreachable as error:
        pytest.fail(f"{error.message}; these tests need an engine: mcpctl engine install && {error.hint}")
    yield found
    left = leftovers(found)
    found.api.close()
    assert not left, f"the tests left behind: {', '.join(left)}"


def leftovers(engine: Engine) -> list[str]:
    """Name what this run created and has not removed; other runs' objects do not count."""
    mine = f"{PREFIX}{RUN}"
    rows = engine.api.containers(all=True)
    found = [f"container {name.lstrip('/')}" for row in rows for name in row["Names"]]
    found += [f"network {row['Name']}" for row in engine.api.networks()]
    found += [f"volume {row['Name']}" for row in engine.api.volumes()["Volumes"] or []]
    found += [f"image {tag}" for row in engine.api.images() for tag in row["RepoTags"] or []]
    labels = {row["Id"]: row["Labels"] or {} for row in rows}
    anonymous = [
        f"container {key[:12]}"
        for key, own in labels.items()
        if str(own.get("com.docker.compose.project", "")).startswith(mine)
    ]
    return sorted({item for item in found if mine in item or RUN in item} | set(anonymous))


@pytest.fixture(scope="session")
def image(engine: Engine) -> Iterator[str]:
    """Return the name of an image that holds a static busybox and nothing else."""
    engine.import_image(iter([root_file_system()]), IMAGE)
    yield IMAGE
    engine.api.remove_image(IMAGE, force=True)


def root_file_system() -> bytes:
    program = peers.busybox_binary()
    names = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("bin", "etc", "tmp", "dev", "proc", "sys", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder in {"tmp", "data"} else 0o755
            archive.addfile(entry)
        _add(archive, "etc/passwd", b"root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n", 0o644)
        _add(archive, "bin/busybox", program.read_bytes(), 0o755)
        for name in names:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            if name != "busybox":
                archive.addfile(link)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


@pytest.fixture(scope="session")
def compose_program() -> Path:
    """Return the real docker compose."""
    try:
        return peers.compose_binary()
    except peers.PeerMissing as error:
        pytest.fail(str(error))


@pytest.fixture
def stack(engine: Engine, image: str, tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    """Return a function that makes a project of its own from a compose file's text."""
    made: list[Stack] = []

    def make(text: str) -> Stack:
        name = f"{PREFIX}{RUN}-{secrets.token_hex(3)}"
        folder = tmp_path / name
        folder.mkdir()
        made.append(Stack(engine, name, folder, image))
        made[-1].write(text)
        return made[-1]

    yield make
    for item in made:
        item.sweep()


@pytest.fixture
def drive(run: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Return a function that runs the whole command line on a stack and holds its answer to its schema."""

    def go(one: Stack, *words: str) -> Outcome:
        left = run("-C", one.folder, "-p", one.name, "-H", one.engine.endpoint.url, *words, "-o", "json")
        check(left.json["command"], left.json)
        return left

    return go


@pytest.fixture
def container(engine: Engine, image: str) -> Iterator[Callable[..., str]]:
    """Return a function that creates and starts a container from the engine's own JSON."""
    made: list[str] = []

    def make(*command: str, start: bool = True, **config: Any) -> str:
        name = f"{PREFIX}{RUN}-{secrets.token_hex(3)}"
        made.append(engine.create_container(name, {"Image": image, "Cmd": list(command), **config}))
        if start:
            engine.start(made[-1])
        return made[-1]

    yield make
    for item in made:
        if engine.find_container(item):
            engine.remove_container(item, force=True)


@pytest.fixture
def fresh_name() -> str:
    """Return a name that no other test uses and that the check for leftovers knows."""
    return f"{PREFIX}{RUN}-{secrets.token_hex(3)}"
