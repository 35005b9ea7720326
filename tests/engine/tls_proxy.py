"""TLS in front of the engine's socket, with a half-close handed on in both directions, as dockerd does it."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import subprocess
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 65536


class TlsProxy:
    """Listens on a port of this machine; ``certificate`` is what a client must trust."""

    def __init__(self, folder: Path, target: str) -> None:
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files],
            check=True,
            capture_output=True,
        )
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._threads.append(Thread(target=self._carry, args=(raw,), daemon=True))
            self._threads[-1].start()

    def _carry(self, raw: socket.socket) -> None:
        with self._context.wrap_socket(raw, server_side=True) as near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._target)
            near.setblocking(False)
            given = True
            with contextlib.suppress(OSError):
                while True:
                    wanted = [far, near] if given else [far]
                    ready = select.select(wanted, [], [], 0 if given and near.pending() else None)[0]
                    if given and (near in ready or near.pending()):
                        given = self._forward(near, far)
                    if far in ready:
                        data = far.recv(PIECE)
                        if not data:
                            break
                        _send(near, data)
                near.unwrap()

    def _forward(self, near: ssl.SSLSocket, far: socket.socket) -> bool:
        try:
            data = near.recv(PIECE)
        except ssl.SSLWantReadError:
            return True
        if data:
            far.sendall(data)
        else:
            far.shutdown(socket.SHUT_WR)
        return bool(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


def _send(sock: ssl.SSLSocket, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[sock.send(left) :]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            select.select([], [sock], [])
