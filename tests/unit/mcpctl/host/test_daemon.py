from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcpctl.errors import EngineUnreachable
from mcpctl.host import daemon as room
from mcpctl.host.daemon import Daemon
from mcpctl.host.distribution import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Host(privilege="root")
FAKE = """\
#!{python}
import http.server, os, socketserver, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
with open(os.environ["FAKE_STARTS"], "a") as starts:
    starts.write("x")
if os.environ.get("FAKE_FAULT"):
    sys.exit(os.environ["FAKE_FAULT"])
if os.path.exists(options["--pidfile"]):
    sys.exit("failed to start daemon: pid file found")
open(options["--pidfile"], "w").write(str(os.getpid()))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Api-Version", "1.99")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")
    def address_string(self):
        return "client"
socketserver.UnixStreamServer(options["--host"].removeprefix("unix://"), Handler).serve_forever()
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon of its own with a stand-in for dockerd on PATH."""
    program = tmp_path / "bin/dockerd"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_STARTS", str(tmp_path / "starts"))
    made = Daemon(
        socket=tmp_path / "s",
        pid_file=tmp_path / "pid",
        exec_root=tmp_path / "exec",
        log=tmp_path / "log",
        lock=tmp_path / "lock",
        service=None,
    )
    yield made
    with contextlib.suppress(OSError, ValueError):
        if (pid := int(made.pid_file.read_text())) != os.getpid():
            end(pid, signal.SIGKILL)


def end(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def test_a_daemon_is_started_and_waited_for(here: Daemon):
    started = room.start(ROOT, here, seconds=20)
    assert (started.how, started.version) == ("dockerd", "1.99")


def test_a_daemon_that_answers_is_left_alone(here: Daemon, tmp_path: Path):
    room.start(ROOT, here, seconds=20)
    assert room.start(ROOT, here, seconds=20).how == "running already"
    assert (tmp_path / "starts").read_text() == "x"


def test_a_daemon_leads_a_session_of_its_own(here: Daemon):
    room.start(ROOT, here, seconds=20)
    pid = int(here.pid_file.read_text())
    assert os.getsid(pid) != os.getsid(0)


def test_a_daemon_that_died_is_started_again(here: Daemon):
    room.start(ROOT, here, seconds=20)
    end(int(here.pid_file.read_text()), signal.SIGKILL)
    again = room.start(ROOT, here, seconds=20)
    assert again.how == "dockerd"
    assert again.removed == (str(here.pid_file), str(here.socket))


def test_a_pid_file_whose_number_went_to_another_process_is_stale(here: Daemon):
    here.pid_file.write_text(str(os.getpid()))
    assert room.start(ROOT, here, seconds=20).removed == (str(here.pid_file),)


def test_a_stale_containerd_pid_file_goes_too(here: Daemon):
    stale = here.exec_root / "containerd/containerd.pid"
    stale.parent.mkdir(parents=True)
    stale.write_text("999999999")
    assert room.start(ROOT, here, seconds=20).removed == (str(stale),)
    assert not stale.exists()


def test_two_at_once_start_one_daemon(here: Daemon, tmp_path: Path):
    gate = threading.Barrier(2)

    def start() -> str:
        gate.wait(10)
        return room.start(ROOT, here, seconds=20).how

    with ThreadPoolExecutor(2) as pool:
        outcomes = [future.result() for future in [pool.submit(start) for _ in range(2)]]
    assert sorted(outcomes) == ["dockerd", "running already"]
    assert (tmp_path / "starts").read_text() == "x"


def test_a_daemon_that_ends_at_once_shows_its_last_words(here: Daemon, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_FAULT", "failed to start daemon: no iptables\nSee 'dockerd --help'.")
    with pytest.raises(
        EngineUnreachable, match="ended as soon as it was started: failed to start daemon: no ipt"
    ) as caught:
        room.start(ROOT, here, seconds=20)
    assert caught.value.hint == f"tail -n 50 {here.log}"
    assert caught.value.details["last_lines"] == [
        "failed to start daemon: no iptables",
        "See 'dockerd --help'.",
    ]


def test_waiting_for_a_silent_daemon_is_bounded(here: Daemon):
    program = Path(os.environ["PATH"].partition(os.pathsep)[0]) / "dockerd"
    program.write_text(f"#!/bin/sh\necho $$ > {here.pid_file}\nexec sleep 1000\n")
    with pytest.raises(EngineUnreachable, match=f"does not answer at {here.socket}"):
        room.start(ROOT, here, seconds=1)


def test_a_held_lock_is_waited_for_no_longer_than_allowed(here: Daemon):
    with room._alone(here, time.monotonic() + 5, print):
        said: list[str] = []
        with pytest.raises(EngineUnreachable, match="for too long"):
            room.start(ROOT, here, seconds=0.3, report=said.append)
    assert said == ["another mcpctl is starting the engine; waiting for it"]


def test_without_root_the_command_is_given(here: Daemon):
    with pytest.raises(EngineUnreachable) as caught:
        room.start(Host(privilege="none"), here)
    assert caught.value.hint == "sudo mcpctl engine start"


def test_without_an_engine_installing_one_is_the_hint(here: Daemon, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room.distribution, "find", lambda _: None)
    with pytest.raises(EngineUnreachable) as caught:
        room.start(ROOT, here)
    assert caught.value.hint == "mcpctl engine install"


def test_systemd_starts_the_unit_where_it_runs(here: Daemon, tmp_path: Path):
    systemctl = tmp_path / "bin/systemctl"
    systemctl.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        f"setsid dockerd --host unix://{here.socket} --pidfile {here.pid_file} >/dev/null 2>&1 &\n"
    )
    systemctl.chmod(0o755)
    unit = Daemon(socket=here.socket, pid_file=here.pid_file, exec_root=here.exec_root, lock=here.lock)
    assert room.start(Host(privilege="root", systemd=True), unit, seconds=20).how == "systemd"
    assert (tmp_path / "asked").read_text() == "start docker\n"


def test_a_unit_that_fails_points_to_its_journal(here: Daemon, tmp_path: Path):
    systemctl = tmp_path / "bin/systemctl"
    systemctl.write_text("#!/bin/sh\necho Job for docker.service failed >&2\nexit 1\n")
    systemctl.chmod(0o755)
    unit = Daemon(socket=here.socket, pid_file=here.pid_file, exec_root=here.exec_root, lock=here.lock)
    with pytest.raises(EngineUnreachable, match=r"Job for docker\.service failed") as caught:
        room.start(Host(privilege="root", systemd=True), unit)
    assert caught.value.hint == "journalctl -u docker -n 30 --no-pager"


def test_the_machines_own_engine_is_started_without_flags_that_daemon_json_may_set():
    assert Daemon().argv() == ("dockerd",)


@pytest.fixture
def apart() -> Iterator[Path]:
    """A directory outside pytest's own: its clean-up in another session trips over a live daemon's mounts."""
    top = Path(tempfile.mkdtemp(prefix="mcpctl-test-"))
    yield top
    _unmount(top)
    shutil.rmtree(top)


@pytest.mark.engine
def test_a_real_dockerd_is_started_killed_and_started_again(apart: Path, monkeypatch: pytest.MonkeyPatch):
    # A second daemon with --bridge=none removes docker0 from its network: it gets a network of its own.
    alone = apart / "bin/dockerd"
    alone.parent.mkdir()
    alone.write_text('#!/bin/sh\nexec unshare --net /usr/sbin/dockerd "$@"\n', encoding="utf-8")
    alone.chmod(0o755)
    monkeypatch.setenv("PATH", f"{alone.parent}{os.pathsep}{os.environ['PATH']}")
    own = Daemon(
        socket=apart / "s",
        pid_file=apart / "pid",
        exec_root=apart / "exec",
        log=apart / "log",
        lock=apart / "lock",
        service=None,
        arguments=(
            "--data-root",
            str(apart / "data"),
            "--bridge=none",
            "--iptables=false",
            "--ip-forward=false",
        ),
    )
    try:
        assert room.start(ROOT, own).how == "dockerd"
        end(int(own.pid_file.read_text()), signal.SIGKILL)
        again = room.start(ROOT, own)
        assert again.how == "dockerd"
        assert str(own.pid_file) in again.removed
    finally:
        with contextlib.suppress(OSError, ValueError):
            end(int(own.pid_file.read_text()), signal.SIGTERM)


def _unmount(top: Path) -> None:
    for line in Path("/proc/mounts").read_text().splitlines():
        if line.split()[1].startswith(f"{top}/"):
            room.commands.run(("umount", "--lazy", line.split()[1]), seconds=10)
