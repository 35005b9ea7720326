"""Kill mcpctl with SIGKILL at hundreds of random points: the next command converges and nothing is lost."""

from __future__ import annotations

import io
import os
import random
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import labels
from mcpctl.stack.down import plan_for_down
from mcpctl.stack.plan_down import DownChoice
from mcpctl.stack.up import UpRequest, plan_for_up
from tests.engine.mortal import End, Mortal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mcpctl.engine.types import Container
    from tests.engine.stack import Stack

KILLS = int(os.environ.get("MCPCTL_KILLS", "200"))
"""Fewer than two hundred kills prove little; where the suite runs a second time, some are enough."""
SEED = os.environ.get("MCPCTL_SEED", "20260714")
FILE = """
services:
  store:
    image: IMAGE
    command: [sleep, "600"]
    stop_signal: SIGKILL
    environment: {LEVEL: "store"}
    volumes: ["data:/data", "/scratch"]
    networks: [default, inner]
  worker:
    image: IMAGE
    command: [sleep, "600"]
    stop_signal: SIGKILL
    environment: {LEVEL: "worker"}
    scale: 1
    depends_on: {store: {condition: service_started, restart: true}}
  edge:
    image: IMAGE
    command: [sleep, "600"]
    stop_signal: SIGKILL
    depends_on: [worker]
volumes: {data: {}}
networks: {inner: {}}
"""


@dataclass
class Trial:
    """One stack that is driven from kill to kill; knows what must be there after each."""

    stack: Stack
    mortal: Mortal
    dice: random.Random
    levels: dict[str, int] = field(default_factory=lambda: {"store": 0, "worker": 0})
    """What each service's environment says: another number is another configuration."""
    scale: int = 1
    markers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """What was put into each volume that must live on, by its name."""
    kills: Counter[str] = field(default_factory=Counter[str])
    usual: dict[str, End] = field(default_factory=dict[str, End])
    """For each kind of command how it went the last time that it was not killed."""
    told_of: int = 0
    """How often the next command said what had been interrupted."""
    anonymous: set[str] = field(default_factory=set[str])

    def argv(self, *words: str) -> tuple[str, ...]:
        one = self.stack
        return ("-C", str(one.folder), "-p", one.name, "-H", one.engine.endpoint.url, *words, "-o", "json")

    def write(self) -> None:
        text = FILE.replace("scale: 1", f"scale: {self.scale}")
        for service, level in self.levels.items():
            text = text.replace(f'LEVEL: "{service}"', f'LEVEL: "{level}"')
        self.stack.write(text)

    def up(self) -> tuple[str, ...]:
        return self.argv("up", "--no-wait")

    def down(self, *, volumes: bool = False) -> tuple[str, ...]:
        return self.argv("down", *(("--volumes", "--yes") if volumes else ()))

    def kill(self, kind: str, argv: tuple[str, ...]) -> bool:
        """Run a command and kill it at a random point; tell whether it was killed before its end."""
        end = self.mortal.run(*argv, kill=self._moment(kind))
        if end.killed:
            self.kills[kind] += 1
        else:
            assert end.code == 0, end.stdout + end.stderr
            self.usual[kind] = end
        return end.killed

    def _moment(self, kind: str) -> tuple[str, float] | None:
        usual = self.usual.get(kind)
        if usual is None:
            return None
        if self.dice.random() < 1 / 3:
            return ("at", self.dice.uniform(0, usual.seconds))
        return (self.dice.choice(["before", "after"]), self.dice.randint(1, max(usual.calls, 1)))

    def converge(self, argv: tuple[str, ...]) -> End:
        """Run a command once, unharmed; it says so where a journal was left."""
        journal = (self.stack.folder / ".mcpctl/journal.json").exists()
        end = self.mortal.run(*argv)
        assert end.code == 0, self.told(end)
        told = any("the last operation was interrupted: `mcpctl " in line for line in end.json["warnings"])
        assert told == journal, self.told(end)
        self.told_of += told
        return end

    def told(self, end: End) -> str:
        there = [f"{item.name} {item.state}" for item in self.stack.containers()]
        return f"{end.stdout}{end.stderr}\nthere: {there}\nkills so far: {dict(self.kills)}, seed {SEED}"

    def check_up(self, end: End) -> None:
        """The wanted containers under their names, running; nothing else; every volume with its marker."""
        found = {item.name: item for item in self.stack.containers()}
        name = self.stack.name
        wanted = {f"{name}-store-1", f"{name}-edge-1"}
        wanted |= {f"{name}-worker-{number}" for number in range(1, self.scale + 1)}
        assert found.keys() == wanted, self.told(end)
        for item in found.values():
            service = item.labels[labels.SERVICE]
            assert item.running, self.told(end)
            if service in self.levels:
                assert f"LEVEL={self.levels[service]}" in item.raw["Config"]["Env"], self.told(end)
        store = found[f"{name}-store-1"]
        assert set(store.network_ids) == {f"{name}_default", f"{name}_inner"}, self.told(end)
        self.check_volumes(store, end)
        networks = self.stack.engine.networks([f"{labels.PROJECT}={name}"])
        assert sorted(item.name for item in networks) == [f"{name}_default", f"{name}_inner"], self.told(end)
        left = plan_for_up(self.stack.engine, self.stack.project, UpRequest())
        assert left == (), f"a second up would: {[str(step) for step in left]}\n{self.told(end)}"
        self.check_notes(end)

    def check_volumes(self, store: Container, end: End) -> None:
        """A volume with a marker is still mounted at its place and holds it; a new one gets one."""
        self.anonymous.add(store.volumes["/scratch"])
        for path in ("/data", "/scratch"):
            volume = store.volumes[path]
            if volume in self.markers:
                assert read(self.stack, store, f"{path}/marker") == self.markers[volume], self.told(end)
            else:
                assert not any(kept == path for kept in self._places()), f"lost {path}: {self.told(end)}"
                self.markers[volume] = self.dice.randbytes(8)
                put(self.stack, store, path, self.markers[volume])
                self._place[volume] = path

    _place: dict[str, str] = field(default_factory=dict[str, str])

    def _places(self) -> set[str]:
        return set(self._place.values())

    def check_down(self, end: End, *, volumes: bool = False) -> None:
        """No container and no network; the named volume stays as it was."""
        name = self.stack.name
        assert self.stack.containers() == (), self.told(end)
        assert self.stack.engine.networks([f"{labels.PROJECT}={name}"]) == (), self.told(end)
        for volume in self.markers:
            assert self.stack.engine.find_volume(volume), self.told(end)
        left = plan_for_down(self.stack.engine, self.stack.project, DownChoice(volumes=volumes))
        assert left == (), f"a second down would: {[str(step) for step in left]}\n{self.told(end)}"
        self.check_notes(end)

    def check_notes(self, end: End) -> None:
        """The journal is gone, and nobody holds the lock."""
        notes = self.stack.folder / ".mcpctl"
        assert not (notes / "journal.json").exists(), self.told(end)
        assert (notes / "lock").read_text() == "", self.told(end)

    def forget(self, place: str) -> None:
        """A volume at this place is given up on purpose: its container went with `down`."""
        for volume in [item for item, path in self._place.items() if path == place]:
            del self._place[volume], self.markers[volume]


def read(stack: Stack, container: Container, path: str) -> bytes:
    stream, _ = stack.engine.api.get_archive(container.id, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        member = archive.extractfile("marker")
        assert member
        return member.read()


def put(stack: Stack, container: Container, path: str, content: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("marker")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    assert stack.engine.api.put_archive(container.id, path, buffer.getvalue())


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    made = Mortal({"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "MCPCTL_TEST": "1"})
    yield made
    made.close()


@pytest.mark.timeout(1800)
def test_after_a_kill_anywhere_the_next_command_converges_and_nothing_is_lost(
    stack: Callable[[str], Stack], mortal: Mortal, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = Trial(stack(FILE), mortal, random.Random(SEED))  # noqa: S311 - dice, not keys
    trial.write()
    try:
        rounds = 0
        while trial.kills.total() < KILLS:
            one_round(trial)
            rounds += 1
            assert rounds < KILLS, f"too few commands were killed in time: {dict(trial.kills)}"
            if rounds % 10 == 0:
                agree(trial)
        trial.converge(trial.down(volumes=True))
    finally:
        trial.stack.sweep()
        for volume in trial.anonymous:
            if trial.stack.engine.find_volume(volume):
                trial.stack.engine.remove_volume(volume)
    with capsys.disabled():
        told = f"{trial.kills.total()} kills, none with a loss: {dict(trial.kills)}; seed {SEED}"
        told += f"; {trial.told_of} had a step under way or done, which the next command told"
        print(f"\n{told}")  # noqa: T201 - the count is what the run is for


def one_round(trial: Trial) -> None:
    """From nothing up, through changes of every kind, and down again; killed at each stage."""
    stage(trial, "up", trial.up(), trial.up())
    for _ in range(3):
        for service in trial.dice.choice([("store",), ("worker",), ("store", "worker")]):
            trial.levels[service] += 1
        trial.write()
        stage(trial, "recreate", trial.up(), trial.up())
    trial.scale = 3 - trial.scale
    trial.write()
    stage(trial, "scale", trial.up(), trial.up())
    last = trial.dice.random() < 1 / 4
    trial.kill("down", trial.down(volumes=last))
    if trial.dice.random() < 1 / 4 and not last:
        trial.converge(trial.down())
        trial.kill("down", trial.down())
    trial.forget("/scratch")
    if last:
        trial.forget("/data")
    trial.check_down(trial.converge(trial.down(volumes=last)), volumes=last)


def stage(trial: Trial, kind: str, argv: tuple[str, ...], mend: tuple[str, ...]) -> None:
    """Kill a command, now and then also the one that was to mend it, and see one more converge."""
    if trial.kill(kind, argv) and trial.dice.random() < 1 / 5:
        trial.kill(kind, mend)
    trial.check_up(trial.converge(mend))


def agree(trial: Trial) -> None:
    """The real docker compose sees the same stack, and has nothing to do on it."""
    trial.check_up(trial.converge(trial.up()))
    rows = trial.stack.compose("ps", "-a", "--format", "{{.Name}} {{.State}}").stdout.split("\n")
    assert sorted(filter(None, rows)) == sorted(
        f"{item.name} {item.state}" for item in trial.stack.containers()
    )
    before = trial.stack.ids()
    assert trial.converge(trial.up()).json["data"]["steps"] == []
    trial.stack.compose("up", "-d", "-t", "1")
    assert trial.stack.ids() == before
    trial.forget("/scratch")
    trial.check_down(trial.converge(trial.down()))
