"""A Docker Engine 26 beside the machine's own: ``python -m tests.engine26 COMMAND…`` runs a command with it.

The engine, its containerd and its containers live in network, process and mount namespaces of their own, so
that they share neither bridge, nor packet filter, nor process with the machine's engine, and the kernel takes
all of it away when this program ends, however it ends. The command runs in that network, where ``127.0.0.1``
is the engine's, with ``DOCKER_HOST`` set. Outside remain a folder and two rules that let the network out;
they go at the end, and those of a killed run at the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import peers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

SLOTS = 16
"""How many such engines a machine may have at a time."""
NAMESPACES = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child")
TIED = ("setpriv", "--pdeathsig", "KILL")
"""Ties a process to the life of this one."""
START_SECONDS = 60
STOP_SECONDS = 20

CONTAINERD_CONFIG = """\
version = 2
root = "{0}/containerd"
state = "{0}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{0}/containerd.sock"
"""

# The first process of the namespaces is docker-init, which reaps; this script becomes dockerd.
INSIDE = """\
set -eu
mount --make-rshared /
mount -t proc proc /proc
ip link set lo up
containerd --config "$1/containerd.toml" >"$1/containerd.log" 2>&1 &
while ! [ -S "$1/containerd.sock" ]; do kill -0 $!; sleep 0.05; done
exec dockerd --host "unix://$1/docker.sock" --containerd "$1/containerd.sock" --pidfile "$1/docker.pid" \\
    --data-root "$1/docker" --exec-root "$1/exec" \\
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$(basename "$1")" >"$1/dockerd.log" 2>&1
"""


class EngineNotStarted(Exception):
    """The second engine cannot be had here; the message says why."""


@dataclass(frozen=True)
class Place:
    """What one engine has of the machine: a folder, a link and a network of four addresses."""

    number: int

    @property
    def name(self) -> str:
        return f"mcpctl-test-engine26-{self.number}"

    @property
    def folder(self) -> Path:
        return Path("/var/lib") / self.name

    @property
    def link(self) -> str:
        return f"mcpe26-{self.number}"

    @property
    def outer(self) -> str:
        return f"100.127.{self.number}.1"

    @property
    def inner(self) -> str:
        return f"100.127.{self.number}.2"

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def rules(self) -> Iterator[tuple[str, ...]]:
        """Name the packet filter's rules that let the engine's network reach the package index."""
        yield "nat", "POSTROUTING", "-s", f"{self.inner}/32", "!", "-o", self.link, "-j", "MASQUERADE"
        yield "filter", "FORWARD", "-i", self.link, "-j", "ACCEPT"
        yield "filter", "FORWARD", "-o", self.link, "-j", "ACCEPT"


@contextlib.contextmanager
def running() -> Generator[tuple[Place, int]]:
    """Start an engine of its own; yields where it is and the process whose namespaces it lives in.

    Raises:
        EngineNotStarted: without root, or with the daemon's last words.
    """
    if os.geteuid() != 0:
        raise EngineNotStarted("a second engine needs root: sudo ./bootstrap test engine26")
    environment = os.environ | {"PATH": os.pathsep.join([*_programs(), os.environ["PATH"]])}
    with _reserved() as place:
        _clean(place)
        place.folder.mkdir(mode=0o711)
        (place.folder / "containerd.toml").write_text(CONTAINERD_CONFIG.format(place.folder), "utf-8")
        command = [*TIED, *NAMESPACES, "docker-init", "-g", "--", "sh", "-c", INSIDE, "sh", str(place.folder)]
        # a session of its own: the terminal's Ctrl-C is for the tests, which still need their engine then
        process = subprocess.Popen(command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            first = _first_inside(process)
            _connect(place, first)
            _await(place, process)
            yield place, first
        finally:
            _stop(place, process)
            _clean(place)


def _programs() -> tuple[str, ...]:
    """Return the folders of the engine's programs; runc and docker-init are the machine's own."""
    for program in ("runc", "docker-init", "iptables", "ip", "unshare", "setpriv", "nsenter"):
        if not shutil.which(program):
            raise EngineNotStarted(f"there is no {program} here: apt-get install docker.io iproute2")
    return str(peers.find(peers.DOCKERD).parent), str(peers.find(peers.CONTAINERD).parent)


@contextlib.contextmanager
def _reserved() -> Generator[Place]:
    """Hold a place that no other run has; the kernel gives it back however this program ends."""
    for number in range(SLOTS):
        place = Place(number)
        with Path(f"/run/{place.name}.lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield place
            return
    raise EngineNotStarted(f"{SLOTS} engines of this kind run already")


def _clean(place: Place) -> None:
    """Remove what the kernel does not: the folder, the two rules, the control groups."""
    for table, chain, *rule in place.rules():
        while _tried("iptables", "-w", "-t", table, "-D", chain, *rule):
            pass
    _tried("ip", "link", "delete", place.link)
    for group in Path("/sys/fs/cgroup").glob(f"**/{place.name}"):
        for folder, _names, _files in os.walk(group, topdown=False):
            Path(folder).rmdir()
    shutil.rmtree(place.folder, ignore_errors=not place.folder.exists())


def _tried(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _first_inside(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := children.read_text(encoding="ascii").split():
            return int(found[0])
        time.sleep(0.01)
    raise EngineNotStarted("namespaces of its own cannot be made here: is this a container?")


def _connect(place: Place, first: int) -> None:
    """Give the engine's network a way out: a pair of links and network address translation."""
    inside = ["nsenter", f"--net=/proc/{first}/ns/net", "ip"]
    for command in (
        ["ip", "link", "add", place.link, "type", "veth", "peer", "name", "eth0", "netns", str(first)],
        ["ip", "address", "add", f"{place.outer}/30", "dev", place.link],
        ["ip", "link", "set", place.link, "up"],
        [*inside, "address", "add", f"{place.inner}/30", "dev", "eth0"],
        [*inside, "link", "set", "eth0", "up"],
        [*inside, "route", "add", "default", "via", place.outer],
        *(["iptables", "-w", "-t", table, "-I", chain, *rule] for table, chain, *rule in place.rules()),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EngineNotStarted(f"{' '.join(command)}: {done.stderr.strip()}")


def _await(place: Place, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _tried("docker", "-H", place.host, "version"):
        if process.poll() is not None or time.monotonic() > deadline:
            logs = [place.folder / "dockerd.log", place.folder / "containerd.log"]
            last = [line for log in logs if log.exists() for line in log.read_text("utf-8").splitlines()[-5:]]
            raise EngineNotStarted("\n".join(["the second engine does not answer", *last]))
        time.sleep(0.1)


def _stop(place: Place, process: subprocess.Popen[bytes]) -> None:
    """Let the daemon stop its containers, but not for ever: the end of the namespaces ends everything."""
    with contextlib.suppress(ProcessLookupError):
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split():
            os.kill(int(child), signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def share_base_images(place: Place) -> None:
    """Copy the base images that the machine's own engine has: building one anew takes a minute."""
    listed = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "mcpctl/base"]
    found = subprocess.run(listed, capture_output=True, text=True, check=False).stdout.split()
    if not found:
        return
    with subprocess.Popen(["docker", "save", *found], stdout=subprocess.PIPE) as save:
        subprocess.run(["docker", "-H", place.host, "load", "-q"], stdin=save.stdout, check=True)


def main(command: list[str]) -> int:
    """Run a command beside the engine and return its exit code."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    with running() as (place, first):
        share_base_images(place)
        environment = {**os.environ, "DOCKER_HOST": place.host}
        enter = ["nsenter", f"--net=/proc/{first}/ns/net", "--"]
        process = subprocess.Popen([*TIED, *enter, *command], env=environment)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the terminal told the command too: its end is awaited, it cleans up after itself
            except SystemExit:
                process.terminate()
                process.wait()
                raise


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (EngineNotStarted, peers.PeerMissing) as error:
        sys.exit(f"engine26: {error}")
