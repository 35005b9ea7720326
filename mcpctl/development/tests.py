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
    "engine26": (
        "tests/engine",
        "tests/e2e/test_quick_start.py",
        "tests/e2e/test_interop.py",
        "tests/benchmarks/test_stack.py::test_up_where_the_engine_checks_every_second",
    ),
}
NEED_ENGINE = frozenset({"engine", "e2e", "benchmarks", "engine26"})
ALL = (("quality", "unit", "docs"), ("engine", "e2e", "benchmarks"), ("engine26",))
"""The whole suite is run in three goes: what needs no engine on all cores, the rest one by one, and once more
what a newer engine could do differently."""
ALL_CORES = ("-n", "auto", "--dist", "worksteal")
FEWER_KILLS = 25
"""What a kill does differs little between engines: all two hundred are tried on the first."""
ENGINE26 = frozenset({"engine26"})
"""The part that runs with a Docker Engine 26 of its own: ``python -m tests.engine26 COMMAND…`` brings it."""


def run_tests(runtime: Runtime, which: tuple[str, ...], report: Callable[[str], None]) -> int:
    """Run pytest on the named parts (all by default) and return its exit code.

    Raises:
        EngineUnreachable: a part needs an engine and none can be had; never a silent skip.
    """
    root = source_tree("tests")
    parts, paths, flags = _split(root, which)
    if not (parts or paths) or parts & NEED_ENGINE:
        _ensure_engine(runtime, report)
    codes = [_run(runtime, root, words) for words in _goes(parts, paths, flags)]
    return next((code for code in codes if code), 0)


def _goes(parts: set[str], paths: list[str], flags: list[str]) -> list[list[str]]:
    """Return what Python is to run, one command line after the other."""
    if not (parts or paths):
        quick, with_engine, newer = ALL
        first = _pytest([*ALL_CORES, *flags, *_folders(quick)])
        return [first, _pytest([*flags, *_folders(with_engine)]), _with_engine26([*flags, *_folders(newer)])]
    goes: list[list[str]] = []
    if paths or parts - ENGINE26:
        goes.append(_pytest([*flags, *_folders(sorted(parts - ENGINE26)), *paths]))
    if parts & ENGINE26:
        goes.append(_with_engine26([*flags, *_folders(ENGINE26)]))
    return goes


def _folders(parts: Iterable[str]) -> list[str]:
    return [folder for part in parts for folder in PARTS[part]]


def _pytest(words: list[str]) -> list[str]:
    return ["-m", "pytest", *words]


def _with_engine26(words: list[str]) -> list[str]:
    return ["-m", "tests.engine26", "env", f"MCPCTL_KILLS={FEWER_KILLS}", sys.executable, *_pytest(words)]


def _run(runtime: Runtime, root: Path, words: list[str]) -> int:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    # pytest gets the terminal; in JSON mode its report goes to stderr so that stdout stays one document
    stdout = sys.stderr if runtime.writer.format == "json" else None
    process = subprocess.Popen([sys.executable, *words], cwd=root, env=environment, stdout=stdout)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # the terminal told the tests too: they take away what they made, and that needs its time
        process.wait()
        raise
    except BaseException:
        process.terminate()
        process.wait()
        raise


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
