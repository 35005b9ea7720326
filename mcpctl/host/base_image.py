"""Build a base image from the distribution's archive, where no registry can be reached.

It stands in for ``python:3.11-slim``: Python with venv, CA certificates (this machine's own included), apt.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mcpctl.errors import McpctlError
from mcpctl.host import apt_sources, certificates, commands, engine_install

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from mcpctl.host.apt_sources import Archive
    from mcpctl.host.commands import Report
    from mcpctl.host.distribution import Host

PACKAGES = "python3,python3-venv,ca-certificates"
OLDEST_PYTHON = (3, 11)
BOOTSTRAP_SECONDS = 1200.0
CHUNK_BYTES = 1 << 20
# What the build leaves that the image should not carry, and what the engine writes anew into every container.
REMOVED = (
    "var/lib/apt/lists",
    "var/cache/apt",
    "var/cache/debconf",
    "var/cache/ldconfig",
    "var/log",
    "debootstrap",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/machine-id",
)
# apt and dpkg refuse to work without these.
EMPTY_DIRECTORIES = (
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    "var/cache/debconf",
    "var/log/apt",
)


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A root file system on disk, ready to be imported once under ``tag``."""

    tag: str
    python: str
    root: Path
    prefix: tuple[str, ...] = ()
    epoch: int = 0

    def stream(self) -> Iterator[bytes]:
        """Yield the file system as an uncompressed tar, entries sorted, times no later than the release's."""
        argv = [*self.prefix, "tar", "--create", "--numeric-owner", "--sort=name", "--format=posix"]
        argv += ["--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"]
        argv += [f"--mtime=@{self.epoch}", "--clamp-mtime"] if self.epoch else []
        argv += ["--exclude=./dev/*", "--directory", str(self.root), "."]
        with tempfile.TemporaryFile() as said, _tar(argv, said) as process:
            yield from iter(lambda: _read(process), b"")
            if process.wait() != 0:
                said.seek(0)
                lines = said.read().decode(errors="replace").splitlines()
                raise commands.failed(argv, f"ended with status {process.returncode}", lines)


@contextlib.contextmanager
def from_archive(
    host: Host, report: Report = commands.ignore, *, scratch: Path | None = None
) -> Generator[BaseImage]:
    """Build the base image's root file system; it is removed when the block ends, however it ends.

    Raises McpctlError where the distribution has no such archive, without root, or when Python is too old.
    """
    archive = apt_sources.archive(host)
    if archive is None or host.package_manager != "apt-get":
        raise McpctlError(
            f"a base image can be built from Debian's or Ubuntu's archive, not on {host.name}",
            hint="set MCP_BASE_IMAGE to an image with Python 3.11 or newer that this machine has or can pull",
        )
    if not host.may_install:
        raise McpctlError(
            "building a base image needs root or sudo without a password", hint="sudo mcpctl quick-start"
        )
    _install_debootstrap(host, report)
    with _scratch(host, scratch) as root:
        _bootstrap(host, archive, root, report)
        python = _python(root)
        _finish(host, archive, root, report)
        version = host.version or archive.codename
        tag = f"mcpctl/base:{archive.distribution}-{version}-python{python}"
        yield BaseImage(tag, python, root, host.prefix, _clean(host, root))


def _install_debootstrap(host: Host, report: Report) -> None:
    if "debootstrap" in host.programs:
        return
    for step in engine_install.apt_steps(host, ("debootstrap",)):
        report(f"{step.command}  ({step.why})")
        commands.run(step.argv, seconds=engine_install.INSTALL_SECONDS)


@contextlib.contextmanager
def _scratch(host: Host, parent: Path | None) -> Generator[Path]:
    """Make a directory for the file system and remove it, whatever is still mounted in it first."""
    top = Path(tempfile.mkdtemp(prefix="mcpctl-base-", dir=parent or _roomy()))
    root = top / "root"
    try:
        yield root
    finally:
        for mounted in _mounts_below(top):
            commands.run((*host.prefix, "umount", "--lazy", mounted), seconds=30)
        commands.run((*host.prefix, "rm", "-rf", "--one-file-system", str(top)), seconds=120)


def _roomy() -> Path:
    # /tmp is often a small tmpfs, or mounted without device files; debootstrap needs 400 MB and `mknod`.
    chosen = os.environ.get("TMPDIR")
    return Path(chosen) if chosen else Path("/var/tmp")  # noqa: S108 - mkdtemp makes a private directory in it


def _mounts_below(top: Path) -> list[str]:
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    points = (line.split()[1].encode().decode("unicode_escape") for line in lines)
    return sorted((point for point in points if point.startswith(f"{top}/")), reverse=True)


def _bootstrap(host: Host, archive: Archive, root: Path, report: Report) -> None:
    argv = [*host.prefix, "debootstrap", "--variant=minbase", f"--include={PACKAGES}"]
    argv += [f"--components={archive.components}", archive.codename, str(root), archive.mirror]
    report(commands.spell(argv))
    try:
        commands.run(argv, seconds=BOOTSTRAP_SECONDS, report=report)
    except McpctlError as error:
        raise McpctlError(
            f"the base image could not be built from {archive.mirror}: {error.message}",
            hint=f"try the mirror: curl -sSf {archive.mirror}/dists/{archive.codename}/Release | head",
            details=error.details,
        ) from error


def _python(root: Path) -> str:
    """Give the version that ``python3`` is, as ``3.11``."""
    link = root / "usr/bin/python3"
    target = link.readlink().name if link.is_symlink() else ""
    match = re.fullmatch(r"python(\d+)\.(\d+)", target)
    if not match or (int(match[1]), int(match[2])) < OLDEST_PYTHON:
        raise McpctlError(
            f"the distribution's Python is too old: {target or 'none'}, 3.11 or newer is needed",
            hint="set MCP_BASE_IMAGE to an image with Python 3.11 or newer",
        )
    return f"{match[1]}.{match[2]}"


def _finish(host: Host, archive: Archive, root: Path, report: Report) -> None:
    """Make the system a base image: `python`, this machine's CAs, usable apt sources."""
    keyring = f"usr/share/keyrings/{archive.distribution}-archive-keyring.gpg"
    _write(host, root, "etc/apt/sources.list", archive.one_line(f"/{keyring}"))
    _write(host, root, "etc/apt/apt.conf.d/90mcpctl", 'APT::Install-Recommends "false";\n')
    commands.run(
        (*host.prefix, "ln", "-sf", "/usr/bin/python3", str(root / "usr/local/bin/python")), seconds=10
    )
    trusted = certificates.bundle()
    if trusted is None:
        return
    known = (root / "etc/ssl/certs/ca-certificates.crt").read_text(encoding="utf-8")
    extra = certificates.missing(trusted.read_text(encoding="utf-8", errors="replace"), known)
    for number, pem in enumerate(extra, 1):
        _write(host, root, f"usr/local/share/ca-certificates/host-{number:03}.crt", pem)
    if extra:
        report(f"{len(extra)} certificate authorities of this machine added, from {trusted}")
        commands.run((*host.prefix, "chroot", str(root), "update-ca-certificates"), seconds=60)


def _write(host: Host, root: Path, path: str, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        argv = (*host.prefix, "install", "-D", "-m", "644", file.name, str(root / path))
        commands.run(argv, seconds=10)


def _clean(host: Host, root: Path) -> int:
    """Remove what an image does not need, and give the release's date in seconds since the epoch."""
    epoch = _release_date(root)
    commands.run((*host.prefix, "rm", "-rf", *(str(root / path) for path in REMOVED)), seconds=60)
    directories = (str(root / path) for path in EMPTY_DIRECTORIES)
    commands.run((*host.prefix, "mkdir", "-p", *directories), seconds=10)
    return epoch


def _release_date(root: Path) -> int:
    from email.utils import parsedate_to_datetime

    for file in sorted((root / "var/lib/apt/lists").glob("*Release")):
        match = re.search(r"^Date: (.+)$", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if match:
            return int(parsedate_to_datetime(match[1]).timestamp())
    return 0


@contextlib.contextmanager
def _tar(argv: list[str], said: IO[bytes]) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
    )
    try:
        yield process
    finally:
        commands.end_group(process)
        if process.stdout is not None:
            process.stdout.close()


def _read(process: subprocess.Popen[bytes]) -> bytes:
    return process.stdout.read(CHUNK_BYTES) if process.stdout else b""
