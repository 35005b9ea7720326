"""Ask one URL for a 200: ``python3 -I -S healthcheck.py http://127.0.0.1:8000/health``.

It stands alone and imports next to nothing, because the engine runs it every few seconds in every container.
Exits 0 on 200, 1 otherwise, with the reason on stdout, where the engine keeps it.
"""

from __future__ import annotations

import socket
import sys

_SECONDS = 3.0
_ENOUGH = 4096


def check(url: str) -> tuple[int, str]:
    """Return the exit code and one line for it."""
    if not url.startswith("http://"):
        return 1, f"{url}: only http:// is supported"
    authority, slash, path = url.removeprefix("http://").partition("/")
    host, _, port = authority.partition(":")
    try:
        answer = _get(host, int(port or "80"), slash + path or "/")
    except (OSError, ValueError) as error:
        return 1, f"{url}: {error}"
    status = answer.split(b"\r\n", 1)[0].decode("latin-1", "replace")
    return (0 if status.startswith("HTTP/") and status.split(" ")[1:2] == ["200"] else 1), f"{url}: {status}"


def _get(host: str, port: int, path: str) -> bytes:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, port), timeout=_SECONDS) as connection:
        connection.sendall(request.encode("ascii"))
        received = b""
        while b"\r\n" not in received and len(received) < _ENOUGH:
            part = connection.recv(_ENOUGH)
            if not part:
                break
            received += part
    return received


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: healthcheck.py URL")
    code, line = check(sys.argv[1])
    print(line)  # noqa: T201 - the engine keeps what a healthcheck prints
    sys.exit(code)
