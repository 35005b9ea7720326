"""Start the Docker Engine of this machine, with systemd or without, once, and wait until it answers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mcpctl.errors import EngineUnreachable, McpctlError
from mcpctl.host import commands, distribution, leftovers
from mcpctl.host.ping import Answer, ping

if TYPE_CHECKING:
    from collections.abc import Generator

    from mcpctl.host.commands import Report
    from mcpctl.host.distribution import Host

How = Literal["running already", "systemd", "dockerd"]
POLL_SECONDS = 0.05


def _lock_path() -> Path:
    # Only root may write to /run, so nobody else can hold root's lock.
    if os.geteuid() == 0:
        return Path("/run/mcpctl-dockerd.lock")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or Path.home()) / ".mcpctl-dockerd.lock"


@dataclass(frozen=True, slots=True)
class Daemon:
    """Where one engine daemon keeps its things; the defaults are the machine's own engine."""

    socket: Path = Path("/var/run/docker.sock")
    pid_file: Path = Path("/var/run/docker.pid")
    exec_root: Path = Path("/var/run/docker")
    log: Path = Path("/var/log/mcpctl-dockerd.log")
    lock: Path = field(default_factory=_lock_path)
    arguments: tuple[str, ...] = ()
    service: str | None = "docker"

    def argv(self) -> tuple[str, ...]:
        """Give the dockerd command; what is left at its default may be set in ``daemon.json`` instead."""
        own = Daemon()
        flags: list[str] = []
        if self.socket != own.socket:
            flags += ["--host", f"unix://{self.socket}"]
        if self.pid_file != own.pid_file:
            flags += ["--pidfile", str(self.pid_file)]
        if self.exec_root != own.exec_root:
            flags += ["--exec-root", str(self.exec_root)]
        return ("dockerd", *flags, *self.arguments)


@dataclass(frozen=True, slots=True)
class Started:
    """How the engine came to answer, and after how many seconds."""

    how: How
    socket: Path
    seconds: float
    version: str | None = None
    removed: tuple[str, ...] = ()


def start(
    host: Host, daemon: Daemon | None = None, *, seconds: float = 60.0, report: Report = commands.ignore
) -> Started:
    """Start the engine unless one answers, and wait until it does, at most ``seconds``.

    Raises EngineUnreachable: with the daemon's last log lines, or with the command to type without root.
    """
    daemon = daemon or Daemon()
    began = time.monotonic()
    answer = _allowed(daemon, ping(daemon.socket))
    if answer.ok:
        return Started("running already", daemon.socket, time.monotonic() - began, answer.version)
    _require_means(host, daemon)
    with _alone(daemon, began + seconds, report):
        return _start_alone(host, daemon, began + seconds, report)


def _start_alone(host: Host, daemon: Daemon, deadline: float, report: Report) -> Started:
    began = time.monotonic()
    how: How = "running already"
    removed: tuple[str, ...] = ()
    process: int | None = None
    if not ping(daemon.socket).ok and not leftovers.alive(daemon.pid_file, "dockerd"):
        if host.systemd and daemon.service:
            how = "systemd"
            _start_unit(host, daemon.service, report)
        else:
            how = "dockerd"
            removed = leftovers.remove(host, daemon.pid_file, daemon.exec_root, daemon.socket)
            for path in removed:
                report(f"removed what a dead daemon left: {path}")
            process = _spawn(host, daemon, report)
    answer = _wait(host, daemon, process, deadline)
    return Started(how, daemon.socket, time.monotonic() - began, answer.version, removed)


def _allowed(daemon: Daemon, answer: Answer) -> Answer:
    if answer.denied:
        raise EngineUnreachable(
            f"a Docker Engine runs, but this user may not use {daemon.socket}",
            hint='sudo usermod -aG docker "$USER" && newgrp docker',
            details={"endpoint": f"unix://{daemon.socket}"},
        )
    return answer


def _require_means(host: Host, daemon: Daemon) -> None:
    if not distribution.find("dockerd"):
        raise EngineUnreachable(
            "there is no Docker Engine on this machine",
            hint="mcpctl engine install",
            details={"endpoint": f"unix://{daemon.socket}"},
        )
    if not host.may_install:
        by_systemd = host.systemd and daemon.service
        raise EngineUnreachable(
            "starting the Docker Engine needs root or sudo without a password",
            hint=f"sudo systemctl start {daemon.service}" if by_systemd else "sudo mcpctl engine start",
        )


def _start_unit(host: Host, service: str, report: Report) -> None:
    argv = (*host.prefix, "systemctl", "start", service)
    report(commands.spell(argv))
    try:
        commands.run(argv, seconds=90)
    except McpctlError as error:
        raise EngineUnreachable(
            f"systemd could not start {service}: {error.message}",
            hint=f"journalctl -u {service} -n 30 --no-pager",
            details=error.details,
        ) from error


def _spawn(host: Host, daemon: Daemon, report: Report) -> int:
    """Start dockerd in a session of its own, so that the terminal's signals do not reach it."""
    argv = daemon.argv()
    report(f"{commands.spell(argv)}  (log: {daemon.log})")
    log_and_run = ("sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null', "sh", str(daemon.log))
    path = os.pathsep.join((os.environ.get("PATH", ""), distribution.SYSTEM_PATH))
    full = (*host.prefix, *log_and_run, *argv)
    return os.posix_spawnp(full[0], full, {**os.environ, "PATH": path}, setsid=True)


def _wait(host: Host, daemon: Daemon, process: int | None, deadline: float) -> Answer:
    while not (answer := ping(daemon.socket)).ok:
        if answer.denied:
            return _allowed(daemon, answer)
        if process is not None and _ended(process):
            raise _not_started(host, daemon, "the Docker daemon ended as soon as it was started")
        if time.monotonic() > deadline:
            raise _not_started(host, daemon, f"the Docker daemon does not answer at {daemon.socket}")
        time.sleep(POLL_SECONDS)
    return answer


def _ended(process: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(process, os.WNOHANG)[0] == process
    return True


def _not_started(host: Host, daemon: Daemon, message: str) -> EngineUnreachable:
    last: tuple[str, ...] = ()
    with contextlib.suppress(McpctlError):
        last = commands.run((*host.prefix, "tail", "-n", "10", str(daemon.log)), seconds=5)
    return EngineUnreachable(
        f"{message}: {_telling(last)}" if last else message,
        hint=f"tail -n 50 {daemon.log}",
        details={"endpoint": f"unix://{daemon.socket}", "last_lines": list(last)},
    )


def _telling(lines: tuple[str, ...]) -> str:
    """Pick the line that names the fault: dockerd ends its log with a pointer to its help."""
    marks = ("failed to start daemon", "level=fatal", "Status:")
    return next((line for line in reversed(lines) if any(mark in line for mark in marks)), lines[-1])


@contextlib.contextmanager
def _alone(daemon: Daemon, deadline: float, report: Report) -> Generator[None]:
    """Hold the lock that keeps two mcpctl from starting two daemons."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(daemon.lock, flags, 0o600)
    try:
        told = False
        while not _locked(descriptor):
            if not told:
                report("another mcpctl is starting the engine; waiting for it")
                told = True
            if time.monotonic() > deadline:
                raise EngineUnreachable(
                    "another mcpctl has been starting the Docker Engine for too long",
                    hint=f"see who holds it: fuser -v {daemon.lock}",
                )
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
