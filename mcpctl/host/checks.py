"""The checks of `doctor` that need no engine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from mcpctl.host.check import Check

OLDEST_PYTHON = (3, 11)
LEAST_DISK_BYTES = 2 * 10**9
LEAST_MEMORY_BYTES = 10**9


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check that this Python is one that mcpctl supports."""
    written = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Check("python", ok=True, message=f"Python {written}")
    return Check(
        "python", ok=False, message=f"Python {written} is too old: 3.11 or newer", hint="./bootstrap"
    )


def disk(path: Path, free: int | None = None) -> Check:
    """Check the free space, in bytes, of the file system that holds ``path``."""
    existing = next(place for place in (path, *path.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free if free is None else free
    message = f"{free / 1e9:.1f} GB free for {path}"
    if free >= LEAST_DISK_BYTES:
        return Check("disk", ok=True, message=message)
    return Check(
        "disk", ok=False, message=f"only {message}, 2 GB needed", hint="mcpctl clean images", level="warning"
    )


def memory(meminfo: Path = Path("/proc/meminfo")) -> Check:
    """Check the memory that can still be had; passes where the system does not tell."""
    available = _available(meminfo)
    if available is None:
        return Check("memory", ok=True, message="the system does not tell how much memory is available")
    message = f"{available / 1e9:.1f} GB of memory available"
    if available >= LEAST_MEMORY_BYTES:
        return Check("memory", ok=True, message=message)
    return Check(
        "memory",
        ok=False,
        message=f"only {message}, 1 GB wanted",
        hint="set MCP_BACKEND_MEMORY lower, or stop other containers: docker stats --no-stream",
        level="warning",
    )


def _available(meminfo: Path) -> int | None:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None
