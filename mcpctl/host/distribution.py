"""What kind of machine this is: distribution, programs, and whether we may install things."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Privilege = Literal["root", "sudo", "none"]

PACKAGE_MANAGERS = ("apt-get", "dnf", "yum", "zypper", "pacman", "apk", "brew")
PROGRAMS = ("dockerd", "docker", "docker-init", "debootstrap", "systemctl", "apparmor_parser")
# dockerd and debootstrap live in sbin, which an ordinary user's PATH leaves out.
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/libexec/docker"


@dataclass(frozen=True, slots=True)
class Host:
    """The facts about one machine that installing and starting depend on."""

    system: str = "Linux"
    id: str = ""
    family: tuple[str, ...] = ()
    version: str = ""
    codename: str = ""
    pretty_name: str = ""
    package_manager: str | None = None
    programs: frozenset[str] = frozenset()
    privilege: Privilege = "none"
    systemd: bool = False
    apparmor: bool = False

    @property
    def prefix(self) -> tuple[str, ...]:
        """Give what goes in front of a command that needs root."""
        return ("sudo", "-n") if self.privilege == "sudo" else ()

    @property
    def may_install(self) -> bool:
        """Tell whether packages can be installed without asking for a password."""
        return self.privilege != "none"

    @property
    def name(self) -> str:
        """Name the system for a message."""
        return self.pretty_name or self.id or self.system


def observe(root: Path = Path("/")) -> Host:
    """Look at this machine; ``root`` is where its ``etc`` and ``sys`` are."""
    release = os_release(root)
    return Host(
        system=platform.system(),
        id=release.get("ID", ""),
        family=(release.get("ID", ""), *release.get("ID_LIKE", "").split()),
        version=release.get("VERSION_ID", ""),
        codename=release.get("VERSION_CODENAME", "") or release.get("UBUNTU_CODENAME", ""),
        pretty_name=release.get("PRETTY_NAME", ""),
        package_manager=next((name for name in PACKAGE_MANAGERS if find(name)), None),
        programs=frozenset(name for name in PROGRAMS if find(name)),
        privilege=_privilege(),
        systemd=(root / "run/systemd/system").is_dir(),
        apparmor=_reads(root / "sys/module/apparmor/parameters/enabled", "Y"),
    )


def os_release(root: Path) -> Mapping[str, str]:
    """Read ``os-release``; an unreadable one is empty (see os-release(5))."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        try:
            text = (root / place).read_text(encoding="utf-8")
        except OSError:
            continue
        pairs = (
            line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")
        )
        return {key.strip(): "".join(shlex.split(value)) for key, _, value in pairs}
    return {}


def find(program: str) -> str | None:
    """Find a program on PATH or where the system keeps its own."""
    return shutil.which(program) or shutil.which(program, path=SYSTEM_PATH)


def _reads(path: Path, start: str) -> bool:
    try:
        return path.read_text(encoding="ascii").startswith(start)
    except OSError:
        return False


def _privilege() -> Privilege:
    if os.geteuid() == 0:
        return "root"
    if not find("sudo"):
        return "none"
    asked = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True, timeout=10)
    return "sudo" if asked.returncode == 0 else "none"
