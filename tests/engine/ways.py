"""Two more ways to the engine under test: TLS over TCP, and a real ssh server, both on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import peers
from tests.engine.stack import eventually

if TYPE_CHECKING:
    from collections.abc import Generator

PIECE = 64 * 1024


@contextlib.contextmanager
def tls_in_front_of(engine_socket: str, context: ssl.SSLContext) -> Generator[int]:
    """Forward TLS connections to the engine's socket, and yield the port on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, engine_socket, context))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(server: socket.socket, engine_socket: str, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):  # the end of the test closes the server
        while True:
            client, _address = server.accept()
            threading.Thread(target=_serve, args=(client, engine_socket, context), daemon=True).start()


def _serve(client: socket.socket, engine_socket: str, context: ssl.SSLContext) -> None:
    with socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
        engine.connect(engine_socket)
        with context.wrap_socket(client, server_side=True) as secured:
            back = threading.Thread(target=_pump, args=(engine, secured), daemon=True)
            back.start()
            _pump(secured, engine)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side may go away at any time
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR if target.family == socket.AF_UNIX else socket.SHUT_RDWR)


SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv PATH={path} DOCKER_HOST=unix://{folder}/engine.sock
"""
SSH_CONFIG = """\
Host *
    IdentityFile {folder}/client_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
"""
# As root, sshd wants a user and a folder of its own and an account that is not locked: it sees its own.
AS_ROOT = """\
set -eu
touch "$1/engine.sock"
mount --bind "$2" "$1/engine.sock"
mount --bind "$1/passwd" /etc/passwd
mount -t tmpfs none /run
mkdir -m 755 /run/sshd
"""
AS_USER = 'ln -s "$2" "$1/engine.sock"\n'
SERVE = 'exec "$3" -D -e -f "$1/sshd_config" 2>>"$1/sshd.log"\n'


@dataclass(frozen=True)
class SshServer:
    """A server of its own with one key that it knows; ``bin`` has the ``ssh`` that uses that key."""

    folder: Path
    port: int

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def url(self) -> str:
        return f"ssh://{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1:{self.port}"

    def forget_host_key(self) -> None:
        (self.folder / "known_hosts").write_text("")

    def know_host_key(self) -> None:
        key = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")


@contextlib.contextmanager
def ssh_server(folder: Path, engine_socket: str) -> Generator[SshServer]:
    """Run a real sshd whose users find the engine under test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = SshServer(folder, probe.getsockname()[1])
    _write(server)
    sshd = peers.find(peers.SSHD)
    libraries = str(peers.find(peers.LIBWRAP).parent)
    script = (AS_ROOT if os.geteuid() == 0 else AS_USER) + SERVE
    command = ["sh", "-c", script, "sh", str(folder), engine_socket, str(sshd)]
    if os.geteuid() == 0:
        command = ["unshare", "--mount", *command]
    process = subprocess.Popen(command, env={**os.environ, "LD_LIBRARY_PATH": libraries})
    try:
        eventually(lambda: _listens(server, process), "the ssh server listens")
        yield server
    finally:
        process.terminate()
        process.wait()


def _listens(server: SshServer, process: subprocess.Popen[bytes]) -> bool:
    log = server.folder / "sshd.log"
    assert process.poll() is None, log.read_text() if log.exists() else "sshd did not start"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def _write(server: SshServer) -> None:
    folder = server.folder
    for name in ("host_key", "client_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    path = os.pathsep.join((str(Path(shutil.which("docker") or "/usr/bin/docker").parent), os.defpath))
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(port=server.port, folder=folder, path=path))
    (folder / "ssh_config").write_text(SSH_CONFIG.format(folder=folder))
    (folder / "passwd").write_text(
        "root:*:0:0::/root:/bin/sh\nsshd:*:65533:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    server.bin.mkdir()
    program = server.bin / "ssh"
    program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F "{folder}/ssh_config" "$@"\n')
    program.chmod(0o755)
    server.know_host_key()
