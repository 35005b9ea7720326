"""Install a Docker Engine from the distribution: decide first, then run the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.errors import EngineUnreachable
from mcpctl.host import commands, distribution

if TYPE_CHECKING:
    from mcpctl.host.commands import Report
    from mcpctl.host.distribution import Host

INSTALL_SECONDS = 900.0
# The client has been a package of its own since Debian 13.
SEPARATE_CLIENT_SINCE = 13
OTHER_SYSTEMS = {
    "dnf": "sudo dnf install -y {package} && sudo systemctl enable --now docker",
    "yum": "sudo yum install -y docker && sudo systemctl enable --now docker",
    "zypper": "sudo zypper --non-interactive install docker && sudo systemctl enable --now docker",
    "pacman": "sudo pacman -S --noconfirm docker && sudo systemctl enable --now docker",
    "apk": "sudo apk add docker && sudo rc-update add docker && sudo service docker start",
    "brew": "brew install --cask docker && open -a Docker",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of an installation, and why it runs."""

    argv: tuple[str, ...]
    why: str

    @property
    def command(self) -> str:
        """Write the step as one would type it."""
        return commands.spell(self.argv)


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation came to: the steps that ran, none when the engine was there."""

    steps: tuple[Step, ...]

    @property
    def changed(self) -> bool:
        """Tell whether anything was installed."""
        return bool(self.steps)


def plan(host: Host) -> tuple[Step, ...]:
    """Give the commands that install an engine on this machine; empty when it has one.

    Raises EngineUnreachable where the distribution is not one that this tool installs from.
    """
    packages = _missing(host)
    if not packages:
        return ()
    if host.package_manager != "apt-get":
        raise EngineUnreachable(
            f"a Docker Engine cannot be installed here by this command: {host.name} has no apt-get",
            hint=manual(host),
            details={"system": host.name},
        )
    return (*apt_steps(host, packages), *_link_init(host))


def apt_steps(host: Host, packages: tuple[str, ...]) -> tuple[Step, ...]:
    """Give the commands that install packages with apt-get, unattended."""
    # Nothing that is installed may go: another vendor's containerd conflicts with Debian's engine.
    options = ("-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=120")
    return (
        Step((*host.prefix, "apt-get", "update"), "package lists may be missing or old"),
        Step(
            (
                *host.prefix,
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                *options,
                *packages,
            ),
            f"not installed: {', '.join(packages)}",
        ),
    )


def install(host: Host, report: Report = commands.ignore) -> Installed:
    """Install what the plan names; do nothing when the machine has an engine already.

    Raises EngineUnreachable, with the commands to type, without root or on another system.
    """
    steps = plan(host)
    if steps and not host.may_install:
        raise EngineUnreachable(
            "installing a Docker Engine needs root or sudo without a password", hint=manual(host)
        )
    for step in steps:
        report(f"{step.command}  ({step.why})")
        commands.run(step.argv, seconds=INSTALL_SECONDS, report=report)
    _prove(steps)
    return Installed(steps)


def manual(host: Host) -> str:
    """Write the commands that a person types to get an engine on this machine."""
    if host.system == "Darwin" and host.package_manager is None:
        return "install Docker Desktop: https://docs.docker.com/desktop/setup/install/mac-install/"
    if host.package_manager == "apt-get":
        start = "sudo systemctl enable --now docker" if host.systemd else "mcpctl engine start"
        packages = " ".join(_missing(host))
        install_line = f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}"
        return f"{install_line} && {start}" if packages else start
    if host.package_manager is None:
        return "install a Docker Engine: https://docs.docker.com/engine/install/"
    package = "moby-engine" if host.id == "fedora" else "docker"
    return OTHER_SYSTEMS[host.package_manager].format(package=package)


def _missing(host: Host) -> tuple[str, ...]:
    packages: list[str] = []
    fresh = "dockerd" not in host.programs
    if fresh:
        packages.append("docker.io")
    # `init: true` runs docker-init; Debian's is tini.
    if "docker-init" not in host.programs:
        packages.append("tini")
    if fresh and host.apparmor and "apparmor_parser" not in host.programs:
        packages.append("apparmor")
    if "docker" not in host.programs and _separate_client(host):
        packages.append("docker-cli")
    return tuple(packages)


def _link_init(host: Host) -> tuple[Step, ...]:
    """Give an engine that came without docker-init one; the docker.io package brings its own."""
    if "dockerd" not in host.programs or "docker-init" in host.programs:
        return ()
    link = ("ln", "-sf", "/usr/bin/tini-static", "/usr/local/bin/docker-init")
    return (Step((*host.prefix, *link), "`init: true` needs a docker-init"),)


def _separate_client(host: Host) -> bool:
    major = host.version.partition(".")[0]
    return host.id == "debian" and (not major.isdigit() or int(major) >= SEPARATE_CLIENT_SINCE)


def _prove(steps: tuple[Step, ...]) -> None:
    if steps and not distribution.find("dockerd"):
        raise EngineUnreachable(
            "the packages were installed, but there is still no dockerd",
            hint="apt-get install --reinstall docker.io",
            details={"commands": [step.command for step in steps]},
        )
