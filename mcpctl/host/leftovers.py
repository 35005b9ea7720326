"""Find and remove what a daemon that died leaves behind and trips over when it starts again."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.host import commands

if TYPE_CHECKING:
    from mcpctl.host.distribution import Host

PROC = Path("/proc")


def alive(pid_file: Path, program: str) -> bool:
    """Tell whether a pid file names a process that runs ``program``; the number may have gone to another."""
    try:
        pid = int(pid_file.read_text(encoding="ascii").strip())
        command = (PROC / str(pid) / "comm").read_text(encoding="utf-8").strip()
        state = (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return False
    return command == program and state != "Z"


def remove(host: Host, pid_file: Path, exec_root: Path, socket: Path) -> tuple[str, ...]:
    """Remove stale pid files and a dead socket, and name what was removed.

    A containerd that outlived its dockerd keeps its pid file: the next dockerd takes it over.
    """
    containerd = exec_root / "containerd" / "containerd.pid"
    stale = [
        path for path, program in ((pid_file, "dockerd"), (containerd, "containerd")) if _stale(path, program)
    ]
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(socket.stat().st_mode):
            stale.append(socket)
    if stale:
        commands.run((*host.prefix, "rm", "-f", *map(str, stale)), seconds=10)
    return tuple(map(str, stale))


def _stale(path: Path, program: str) -> bool:
    return path.is_file() and not alive(path, program)
