"""Tell whether a TCP port of this machine is free, and which process holds it if not.

Linux only: sockets from ``/proc/net/tcp`` (proc_pid_net(5)), owners from ``/proc/<pid>/fd``.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTENING = "0A"
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens; ``pid`` and ``process`` are unknown when it belongs to another user."""

    pid: int | None
    process: str
    address: str
    command: str = ""


def is_free(address: str, port: int) -> bool:
    """Tell whether a server could bind ``address:port`` now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that is still closing does not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def holder(port: int, address: str | None = None) -> Holder | None:
    """Find who listens on ``port``, on an address that collides with ``address`` if one is given."""
    for listening, inode in _listeners(port):
        if address is None or _collide(listening, address):
            return _owner(listening, inode)
    return None


def _collide(one: str, other: str) -> bool:
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first == second or first.is_unspecified or second.is_unspecified


def _listeners(port: int) -> Iterator[tuple[str, str]]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            raw, _, number = fields[1].partition(":")
            if fields[3] == LISTENING and int(number, 16) == port:
                yield _address(raw), fields[9]


def _address(raw: str) -> str:
    """Decode the kernel's hexadecimal: 32-bit words in the machine's own byte order."""
    words = (int(raw[start : start + 8], 16) for start in range(0, len(raw), 8))
    decoded = ipaddress.ip_address(b"".join(struct.pack("=I", word) for word in words))
    mapped = decoded.ipv4_mapped if isinstance(decoded, ipaddress.IPv6Address) else None
    return str(mapped or decoded)


def _owner(address: str, inode: str) -> Holder:
    wanted = f"socket:[{inode}]"
    for process in PROC.glob("[0-9]*"):
        if _holds(process, wanted):
            name, command = _read(process / "comm").strip(), _read(process / "cmdline")
            return Holder(int(process.name), name, address, command.replace("\0", " ").strip())
    return Holder(None, "a process of another user", address)


def _holds(process: Path, wanted: str) -> bool:
    try:
        return any(_link(descriptor) == wanted for descriptor in (process / "fd").iterdir())
    except OSError:
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
