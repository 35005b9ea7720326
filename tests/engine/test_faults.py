"""Lost answers, conflicts, what is removed underneath, an engine that goes away, a full disk: for real.

A proxy between mcpctl and the engine makes the faults; everything else is the engine's own doing.
"""

from __future__ import annotations

import gc
import io
import subprocess
import tarfile
from dataclasses import replace
from threading import Barrier, Timer
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.client import Engine
from mcpctl.engine.types import Endpoint
from mcpctl.errors import EngineFailed, EngineUnreachable, ExitCode
from mcpctl.stack import recovery
from tests.fakes.proxy import Fault, Proxy, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Outcome
    from tests.engine.stack import Stack

    Make = Callable[[str], Stack]
    Through = Callable[[Stack], Stack]

TEXT = """
services:
  app:
    image: IMAGE
    command: [sleep, "600"]
    stop_signal: SIGKILL
    environment: {LEVEL: info}
    volumes: ["data:/data", "/scratch"]
    networks: [default, inner]
  once:
    image: IMAGE
    command: [sh, -c, "echo ran >> /data/runs"]
    volumes: ["data:/data"]
    depends_on: [app]
volumes: {data: {}}
networks: {inner: {}}
"""
ONE = "services: {app: {image: IMAGE, command: [sleep, '600'], stop_signal: SIGKILL}}"
CREATE, START = r"^POST .*/containers/create", r"^POST .*/start$"
CONNECT = r"^POST .*/networks/.*/connect"
EVERY_CHANGE = (
    r"^POST .*/networks/create",
    r"^POST .*/volumes/create",
    CREATE,
    CONNECT,
    START,
    r"^POST .*/stop",
    r"^DELETE .*/containers/",
    r"^POST .*/rename",
    r"^DELETE .*/networks/",
    r"^DELETE .*/volumes/",
)


@pytest.fixture
def proxy(engine: Engine, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy before the machine's engine; its rules are the test's to give."""
    assert engine.endpoint.url.startswith("unix://")
    with Proxy(tmp_path / "proxy.sock", engine.endpoint.url.removeprefix("unix://")) as made:
        yield made


@pytest.fixture
def through(proxy: Proxy) -> Iterator[Through]:
    """Return a function that gives the same stack, driven through the proxy."""
    engine = Engine(Endpoint(proxy.url, "a test"))
    yield lambda one: replace(one, engine=engine)
    engine.api.close()
    gc.collect()  # what the SDK leaves open is counted to this test and to no later one


def read(one: Stack, path: str) -> bytes:
    stream, _ = one.engine.api.get_archive(one.one("app").id, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        file = archive.extractfile(path.rpartition("/")[2])
        assert file
        return file.read()


@pytest.mark.parametrize("fault", ["lose the answer", "cut the answer", "cut before", "hang"])
def test_a_whole_life_goes_well_when_every_kind_of_change_loses_its_answer_once(
    stack: Make, proxy: Proxy, through: Through, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("mcpctl.engine.client.CALL_TIMEOUT", 1.5)
    one = stack(TEXT)
    unknown = {CONNECT} if one.engine.api_version >= (1, 44) else set[str]()  # connects when it creates
    proxy.rules = [
        Rule(pattern, fault, times=2 if pattern == START else 1)
        for pattern in EVERY_CHANGE
        if pattern not in unknown
    ]
    faulty = through(one)
    faulty.up(wait=False)
    one.write(TEXT.replace("info", "debug"))
    scratch = one.one("app").volumes["/scratch"]
    faulty.up(wait=False, services=("app",))
    assert sorted(one.ids()) == ["app-1", "once-1"]
    assert one.one("app").volumes["/scratch"] == scratch
    assert one.one("app").running
    assert read(one, "/data/runs") == b"ran\n", "the one-shot ran twice"
    faulty.down(volumes=True)
    assert one.containers() == ()
    assert one.engine.networks([f"com.docker.compose.project={one.name}"]) == ()
    assert one.engine.find_volume(f"{one.name}_data") is None
    assert [rule.request for rule in proxy.rules if rule.met < rule.times] == []


# conflicts


def test_what_compose_made_at_the_same_time_counts_as_done(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(ONE)
    proxy.rules = [Rule(CREATE, "none", first=lambda: one.compose("up", "-d"))]
    through(one).up(wait=False)
    assert proxy.rules[0].met == 1
    assert one.one("app").running
    assert one.up(wait=False).steps == ()


def test_a_name_that_somebody_else_took_names_the_holder_and_leaves_it_alone(
    stack: Make, proxy: Proxy, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAUSES", (0.01,))
    one = stack(ONE)
    taken: list[str] = []

    def take() -> None:
        taken.append(one.engine.create_container(f"{one.name}-app-1", {"Image": one.image}))

    proxy.rules = [Rule(CREATE, "none", first=take)]
    try:
        with pytest.raises(EngineFailed, match=rf'already in use by container "{one.name}-app-1"'):
            through(one).up(wait=False)
        assert one.engine.find_container(taken[0])
    finally:
        one.engine.remove_container(taken[0], force=True)
    one.up(wait=False)
    assert one.one("app").running


def test_a_removal_that_is_in_progress_already_is_awaited(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(ONE)
    one.up(wait=False)
    app = one.one("app").id
    busy = f"removal of container {app} is already in progress"
    proxy.rules = [
        Rule(
            r"^DELETE .*/containers/",
            "refuse",
            status=409,
            message=busy,
            first=lambda: one.engine.remove_container(app, force=True),
        )
    ]
    through(one).down()
    assert one.containers() == ()


def test_a_network_that_somebody_joins_meanwhile_names_the_user_and_goes_the_next_time(
    stack: Make,
    proxy: Proxy,
    through: Through,
    container: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "PAUSES", (0.01,))
    one = stack(ONE)
    one.up(wait=False)
    guests: list[str] = []

    def join() -> None:
        guests.append(
            container("sleep", "600", HostConfig={"NetworkMode": f"{one.name}_default", "Init": True})
        )

    proxy.rules = [Rule(r"^DELETE .*/networks/", "none", first=join)]
    with pytest.raises(EngineFailed, match=rf"network {one.name}_default is in use by ") as caught:
        through(one).down()
    name = one.engine.container(guests[0]).name
    assert caught.value.hint == f"docker network disconnect -f {one.name}_default {name}"
    assert one.containers() == ()
    one.engine.remove_container(guests[0], force=True)
    one.down()
    assert one.engine.networks([f"com.docker.compose.project={one.name}"]) == ()


# what is removed underneath


def test_an_image_removed_underneath_is_a_clear_error_and_harms_nothing(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(ONE)
    own = f"{one.image}-{one.name[-6:]}"
    one.engine.api.tag(one.image, *own.rsplit(":", 1))
    one.write(ONE.replace("IMAGE", own))
    proxy.rules = [Rule(CREATE, "none", first=lambda: one.engine.remove_image(own))]
    with pytest.raises(EngineFailed, match=r"(?i)removed meanwhile.*no such image") as caught:
        through(one).up(wait=False)
    assert caught.value.hint == "mcpctl up"
    assert one.containers() == ()
    one.engine.api.tag(one.image, *own.rsplit(":", 1))
    try:
        one.up(wait=False)
        assert one.one("app").running
        one.down()
    finally:
        one.engine.remove_image(own)


def test_a_container_removed_underneath_is_made_again_by_the_next_up(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(ONE)
    proxy.rules = [
        Rule(START, "none", first=lambda: one.engine.remove_container(one.one("app").id, force=True))
    ]
    with pytest.raises(EngineFailed, match="removed meanwhile") as caught:
        through(one).up(wait=False)
    assert (caught.value.exit_code, caught.value.hint) == (ExitCode.FAILED, "mcpctl up")
    one.up(wait=False)
    assert one.one("app").running


def test_an_old_container_removed_underneath_is_replaced_all_the_same(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(TEXT)
    one.up(wait=False)
    old = one.one("app")
    one.write(TEXT.replace("info", "debug"))
    proxy.rules = [
        Rule(r"^POST .*/stop", "none", first=lambda: one.engine.remove_container(old.id, force=True))
    ]
    through(one).up(wait=False, services=("app",))
    assert one.one("app").running
    assert one.one("app").volumes["/scratch"] == old.volumes["/scratch"]


def test_a_network_removed_underneath_is_made_again_by_the_next_up(
    stack: Make, proxy: Proxy, through: Through
) -> None:
    one = stack(ONE)

    def remove() -> None:
        (network,) = one.engine.networks([f"com.docker.compose.project={one.name}"])
        one.engine.remove_network(network.id)

    proxy.rules = [Rule(START, "none", first=remove)]
    with pytest.raises(EngineFailed, match=r"removed meanwhile.*network"):
        through(one).up(wait=False)
    one.up(wait=False)
    assert one.one("app").running
    assert one.up(wait=False).steps == ()


# an engine that goes away

# the SDK drops a socket that could not connect without closing it
UNCLOSED = pytest.mark.filterwarnings("ignore:.*socket:pytest.PytestUnraisableExceptionWarning")


@UNCLOSED
@pytest.mark.parametrize("call", [START, CREATE, r"^GET .*/exec/"])
def test_an_engine_that_restarts_in_the_middle_is_waited_for(
    stack: Make, proxy: Proxy, through: Through, call: str
) -> None:
    one = stack(
        """
        services:
          app:
            image: IMAGE
            command: [sleep, "600"]
            stop_signal: SIGKILL
            healthcheck: {test: [CMD, "true"], interval: 60s}
          late: {image: IMAGE, command: ["true"], depends_on: {app: {condition: service_healthy}}}
        """
    )

    def restart() -> None:
        proxy.go_away()
        Timer(1.0, proxy.come_back).start()

    proxy.rules = [Rule(call, "cut before", first=restart)]
    through(one).up(wait=False)
    assert proxy.rules[0].met == 1
    assert one.one("app").running
    assert one.one("late").state in {"running", "exited"}


@UNCLOSED
def test_an_engine_that_stays_away_is_exit_5_and_the_next_up_converges(
    stack: Make, proxy: Proxy, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "AWAY_SECONDS", 0.3)
    one = stack(TEXT)
    one.up(wait=False)
    scratch = one.one("app").volumes["/scratch"]
    one.write(TEXT.replace("info", "debug"))
    proxy.rules = [Rule(r"^POST .*/rename", "cut before", first=proxy.go_away)]
    with pytest.raises(EngineUnreachable) as caught:
        through(one).up(wait=False)
    assert caught.value.exit_code == ExitCode.ENGINE_UNREACHABLE
    proxy.come_back()
    through(one).up(wait=False)
    assert sorted(one.ids()) == ["app-1", "once-1"]
    assert one.one("app").running
    assert one.one("app").volumes["/scratch"] == scratch


# several at once, and a full disk


def test_steps_that_fail_side_by_side_are_all_told(stack: Make, proxy: Proxy, through: Through) -> None:
    one = stack(
        """
        services:
          a: {image: IMAGE, command: [/no/such/program]}
          b: {image: IMAGE, command: [/neither/this]}
        """
    )
    both = Barrier(2)
    proxy.rules = [Rule(START, "none", times=2, first=lambda: both.wait(60))]
    with pytest.raises(EngineFailed) as caught:
        through(one).up(wait=False)
    assert "/no/such/program" in caught.value.message
    assert "/neither/this" in caught.value.message
    assert len(caught.value.details["failures"]) == 2  # type: ignore[arg-type] - JSON


def test_an_engine_without_space_says_what_to_type(stack: Make, proxy: Proxy, through: Through) -> None:
    one = stack(TEXT)
    one.up(wait=False)
    before = one.ids()
    one.write(TEXT.replace("info", "debug"))
    message = "write /var/lib/docker/tmp: no space left on device"
    proxy.rules = [Rule(CREATE, "refuse", message=message)]
    with pytest.raises(EngineFailed, match="no space left on device") as caught:
        through(one).up(wait=False)
    assert caught.value.hint == "mcpctl clean images"
    assert one.ids() == before
    assert one.one("app").running
    one.up(wait=False)
    assert one.one("app").id != before["app-1"]


@pytest.fixture
def full_disk(stack: Make) -> Iterator[Stack]:
    """A stack whose project folder has no room left for a single byte."""
    one = stack(ONE)
    text = (one.folder / "compose.yaml").read_text()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", one.folder], check=True)
    try:
        (one.folder / "compose.yaml").write_text(text)
        (one.folder / ".mcpctl").mkdir()
        (one.folder / ".mcpctl/lock").touch()
        (one.folder / ".mcpctl/audit.jsonl").touch()
        with pytest.raises(OSError, match="No space left"):
            (one.folder / "filler").write_bytes(bytes(65536))
        yield one
    finally:
        subprocess.run(["umount", one.folder], check=True)


def test_where_mcpctl_cannot_write_its_notes_the_work_is_done_and_reported(
    full_disk: Stack, run: Callable[..., Outcome]
) -> None:
    one = full_disk
    words = ("-C", one.folder, "-p", one.name, "-H", one.engine.endpoint.url)
    outcome = run(*words, "up", "--no-wait", "-o", "json")
    assert outcome.exit_code == 0, outcome.stdout
    assert one.one("app").running
    assert any("No space left on device" in warning for warning in outcome.json["warnings"])
    down = run(*words, "down")
    assert (down.exit_code, one.containers()) == (0, ())
    assert "warning: cannot write to" in down.stderr
