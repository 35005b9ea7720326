"""The programs that tests compare with, fetched once from Debian's archive into ``.cache/peers``.

Their releases are fixed by the Debian release they come from: docker compose 2.26.1, buildx 0.13.1 and
Docker Engine 26.1.5 with its containerd. The ssh server comes from the release that runs here.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".cache" / "peers"
RELEASE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECONDS = 300


class PeerMissing(Exception):
    """A program to compare with is not here and could not be fetched."""


@dataclass(frozen=True)
class Peer:
    """One program: the package that has it, where it lies in there, what names another copy."""

    package: str
    path: str
    variable: str
    release: str = RELEASE


def own_release() -> str:
    """Return the code name of the Debian release that runs here."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")


COMPOSE = Peer("docker-compose", "usr/bin/docker-compose", "MCPCTL_COMPOSE_BINARY")
BUILDX = Peer("docker-buildx", "usr/libexec/docker/cli-plugins/docker-buildx", "MCPCTL_BUILDX_BINARY")
BUSYBOX = Peer("busybox-static", "usr/bin/busybox", "MCPCTL_BUSYBOX_BINARY")
DOCKERD = Peer("docker.io", "usr/sbin/dockerd", "MCPCTL_DOCKERD_BINARY")
CONTAINERD = Peer("containerd", "usr/bin/containerd", "MCPCTL_CONTAINERD_BINARY")
# A server links what its own release has, so these two do not come from the newer one.
SSHD = Peer("openssh-server", "usr/sbin/sshd", "MCPCTL_SSHD_BINARY", own_release())
LIBWRAP = Peer("libwrap0", f"usr/lib/{sysconfig.get_config_var('MULTIARCH')}/libwrap.so.0", "", own_release())


def compose_binary() -> Path:
    """Return the real docker compose, as a program of its own."""
    return find(COMPOSE)


def buildx_binary() -> Path:
    """Return the real docker buildx, as a program of its own."""
    return find(BUILDX)


def busybox_binary() -> Path:
    """Return a static busybox: all that the test image holds."""
    return find(BUSYBOX)


def find(peer: Peer) -> Path:
    """Return a peer's program, fetched if it is not here.

    Raises:
        PeerMissing: with the command or the setting that mends it.
    """
    if peer.variable and (named := os.environ.get(peer.variable)):
        if not os.access(named, os.X_OK):
            raise PeerMissing(f"{peer.variable}={named} is no program")
        return Path(named)
    program = PEERS / peer.path
    if not program.exists():
        _fetch(peer)
    if not program.exists():
        raise PeerMissing(f"package {peer.package} holds no {peer.path}; name the program: {peer.variable}=…")
    return program


def _fetch(peer: Peer) -> None:
    """Unpack a package without installing it: apt's own configuration and state stay as they are."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and KEYRING.exists()):
        raise PeerMissing(
            f"{peer.package} comes from Debian's archive, which needs apt-get, dpkg-deb and {KEYRING}; "
            f"elsewhere name the program: {peer.variable}=…"
        )
    work = PEERS / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {_mirror(peer)} {peer.release} main\n", encoding="utf-8")
    if not any((work / "lists").glob(f"*_{peer.release}_*_Packages*")):
        _apt(peer, work, "update")
    for stale in work.glob(f"{peer.package}_*.deb"):
        stale.unlink()
    _apt(peer, work, "download", peer.package)
    (package,) = work.glob(f"{peer.package}_*.deb")
    _run(peer, ["dpkg-deb", "-x", str(package), str(PEERS)], work)
    package.unlink()


def _mirror(peer: Peer) -> str:
    """Return the archive that this machine uses for Debian itself."""
    listed = _run(peer, ["apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)"], PEERS)
    for line in listed.splitlines():
        address, _, component = line.partition(" ")
        if component == "main" and address.rstrip("/").endswith("/debian"):
            return address
    raise PeerMissing(f"apt knows no mirror of Debian's archive; name the program: {peer.variable}=…")


def _apt(peer: Peer, work: Path, *words: str) -> None:
    options = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work,
        "APT::Get::List-Cleanup": "0",
        "APT::Sandbox::User": "root",
    }
    flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    _run(peer, ["apt-get", "-q", *flags, *words], work)


def _run(peer: Peer, command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode != 0:
        raise PeerMissing(
            f"{peer.package} could not be fetched: {' '.join(command[:2])} failed: "
            f"{done.stderr.strip()[-400:]}; name the program: {peer.variable}=…"
        )
    return done.stdout
