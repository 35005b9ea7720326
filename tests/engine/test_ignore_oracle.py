"""Docker's own builders decide which files of generated trees arrive; ours must agree."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.context import open_context
from tests import peers
from tests.unit.mcpctl.engine.test_ignore import excludes

if TYPE_CHECKING:
    from pathlib import Path

    from mcpctl.engine.client import Engine

FILES = [
    "a", "b", "Build/x", "build/x", "docs/a.md", "docs/b.md", "docs/deep/a.md", "README.md", "readme.md",
    "a.md", "src/a/b/c.py", "src/a/b.py", "src/ab", "src/[x]", "src/a b", "data/keep", "data/drop",
    "data/in/keep", ".env", ".git/config", "x+y", "deep/er/a/b", "a-b/c", "ä/ö",
]  # fmt: skip
PIECES = [
    "a", "b", "*", "**", "*.md", "docs", "src", "data", "keep", "in", "[ab]", "[^a]", "a?", "README.md",
    "deep", "er", "Build", ".*", "x+y", "c.py", "\\a", "ä", "d*", "*p", "**.md", "[x-z]*",
]  # fmt: skip
FIXED = [
    "docs\n!docs/deep",
    "docs/deep\n!docs",
    "*\n!data/keep\n!src/**/c.py",
    "**\n!**/*.md",
    "!a\n*",
    "/a\n./b\nsrc/../docs",
    "**/a.md\n!docs/**",
    "src/**/b*\n**/keep",
    "s**c.py",
    "**b",
    "\ufeffa\n*.md/\n",
    ".",
]


@pytest.fixture(scope="session")
def buildx() -> Path:
    try:
        return peers.buildx_binary()
    except peers.PeerMissing as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return root


def generated() -> list[str]:
    chance = random.Random(20240506)  # noqa: S311 - patterns to repeat, no secret
    texts: list[str] = []
    for _ in range(24):
        lines = [
            chance.choice(["", "", "!"]) + "/".join(chance.choices(PIECES, k=chance.randint(1, 3)))
            for _ in range(chance.randint(1, 5))
        ]
        texts.append("\n".join(lines))
    return texts


def arrived_by_buildkit(buildx: Path, engine: Engine, root: Path, target: Path) -> set[str]:
    shutil.rmtree(target, ignore_errors=True)
    done = subprocess.run(
        [buildx, "build", "--no-cache", "--output", f"type=local,dest={target}", "."],
        cwd=root,
        env={"HOME": str(target.parent), "PATH": "/usr/bin:/bin", "DOCKER_HOST": engine.endpoint.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}


def sent_by_us(root: Path) -> set[str]:
    """Return what `COPY .` would find: the two files that are always sent go where ignored."""
    context = open_context(str(root), "Dockerfile")
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.stream()))) as archive:
        names = {entry.name for entry in archive if entry.isfile()}
    return {
        name
        for name in names
        if name not in {"Dockerfile", ".dockerignore"} or not excludes(context.ignore, name)
    }


@pytest.mark.parametrize("text", [*FIXED, *generated()])
def test_what_arrives_is_what_buildkit_sends(
    buildx: Path, engine: Engine, tree: Path, tmp_path: Path, text: str
) -> None:
    (tree / ".dockerignore").write_text(text)
    expected = arrived_by_buildkit(buildx, engine, tree, tmp_path / "out")
    assert sent_by_us(tree) == expected
