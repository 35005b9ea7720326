"""`test`: bring what the tests need, then hand over to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from mcpctl.development.source import source_tree
from mcpctl.errors import EngineUnreachable, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mcpctl.runtime import Runtime

PARTS = {
    "unit": ("tests/unit", "tests/oracle"),
    "engine": ("tests/engine",),
    "e2e": ("tests/e2e",),
    "docs": ("tests/docs",),
    "quality": ("tests/quality",),
    "benchmarks": ("tests/benchmarks",),
    "aws": ("tests/unit/mcpctl/aws", "tests/unit/server"),
}
NEED_ENGINE = frozenset({"engine", "e2e", "benchmarks"})
ALL = (("quality", "unit", "docs"), ("engine", "e2e", "benchmarks"))
"""The whole suite is run in two goes: what needs no engine on all cores, then the rest one by one."""
ALL_CORES = ("-n", "auto", "--dist", "worksteal")


def run_tests(runtime: Runtime, which: tuple[str, ...], report: Callable[[str], None]) -> int:
    """Run pytest on the named parts (all by default) and return its exit code.

    Raises:
        EngineUnreachable: a part needs an engine and none can be had; never a silent skip.
    """
    root = source_tree("tests")
    parts, paths, flags = _split(root, which)
    if not (parts or paths) or parts & NEED_ENGINE:
        _ensure_engine(runtime, report)
    if parts or paths:
        return _pytest(runtime, root, [*flags, *_folders(sorted(parts)), *paths])
    without, with_engine = ALL
    quick = _pytest(runtime, root, [*ALL_CORES, *flags, *_folders(without)])
    return _pytest(runtime, root, [*flags, *_folders(with_engine)]) or quick


def _folders(parts: Iterable[str]) -> list[str]:
    return [folder for part in parts for folder in PARTS[part]]


def _pytest(runtime: Runtime, root: Path, words: list[str]) -> int:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    # pytest gets the terminal; in JSON mode its report goes to stderr so that stdout stays one document
    stdout = sys.stderr if runtime.writer.format == "json" else None
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, cwd=root, env=environment, stdout=stdout, check=False).returncode


def _split(root: Path, which: tuple[str, ...]) -> tuple[set[str], list[str], list[str]]:
    """Sort words into parts, paths and pytest's own flags."""
    parts = {word for word in which if word in PARTS}
    flags = [word for word in which if word.startswith("-")]
    paths = [word for word in which if word not in parts and word not in flags]
    for path in paths:
        if not (root / path.partition("::")[0]).exists():
            raise UsageFault(
                f"{path!r} is neither a part of the tests nor a path", hint=f"parts: {', '.join(PARTS)}"
            )
    return parts, paths, flags


def _ensure_engine(runtime: Runtime, report: Callable[[str], None]) -> None:
    from mcpctl.quickstart.machine import install_and_start

    try:
        runtime.engine.info()
    except EngineUnreachable:
        report("no engine answers: installing and starting the distribution's")
        install_and_start(report)
