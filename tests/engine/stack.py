"""One project on the real engine, driven by mcpctl's rooms or by the real docker compose."""

from __future__ import annotations

import subprocess
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpctl.compose import labels
from mcpctl.compose.load import LoadRequest, load
from mcpctl.stack.down import DownRequest, down
from mcpctl.stack.plan import UpChoice
from mcpctl.stack.plan_down import DownChoice
from mcpctl.stack.up import UpRequest, UpResult, up
from tests import peers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container
    from mcpctl.stack.readiness import Assessment
    from mcpctl.stack.steps import Plan, Step

PREFIX = "mcpctl-test-"
SECONDS = 60.0


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true answer of a condition; fail after a bound."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


@dataclass
class Recorder:
    """Keeps what an operation reported."""

    done: list[str] = field(default_factory=list[str])
    looks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lines: list[str] = field(default_factory=list[str])

    def planned(self, plan: Plan) -> None:
        """Steps are about to run."""

    def started(self, step: Step) -> None:
        """A step began."""

    def finished(self, step: Step) -> None:
        self.done.append(f"{step.action} {step.target}")

    def failed(self, step: Step, error: BaseException) -> None:
        self.lines.append(f"{step.action} {step.target}: {error}")

    def assessed(self, service: str, assessment: Assessment) -> None:
        self.looks.append((service, assessment.status))

    def line(self, text: str) -> None:
        self.lines.append(text)


@dataclass
class Stack:
    """A project in a folder of its own."""

    engine: Engine
    name: str
    folder: Path
    image: str
    recorder: Recorder = field(default_factory=Recorder)

    def write(self, text: str) -> None:
        """Write the compose file; ``IMAGE`` in it stands for the test image."""
        (self.folder / "compose.yaml").write_text(
            textwrap.dedent(text).replace("IMAGE", self.image), encoding="utf-8"
        )

    @property
    def project(self) -> Project:
        environ = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        return load(LoadRequest(self.folder, environ, project_name=self.name))

    def up(
        self,
        *,
        wait: bool = True,
        wait_timeout: float = 30,
        stop_timeout: int | None = 1,
        find_holder: Callable[[str, int], str | None] = lambda _address, _port: None,
        **choice: Any,
    ) -> UpResult:
        self.recorder = Recorder()
        request = UpRequest(
            UpChoice(**choice), wait=wait, wait_timeout=wait_timeout, stop_timeout=stop_timeout
        )
        return up(self.engine, self.project, request, self.recorder, find_holder)

    def down(self, **choice: Any) -> tuple[Step, ...]:
        self.recorder = Recorder()
        request = DownRequest(DownChoice(**choice), stop_timeout=1)
        return down(self.engine, self.project, request, self.recorder)

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the real docker compose on the project."""
        done = subprocess.run(
            [peers.compose_binary(), "-p", self.name, *words],
            cwd=self.folder,
            env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "DOCKER_HOST": self.engine.endpoint.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS * 2,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def containers(self) -> tuple[Container, ...]:
        found = self.engine.containers([f"{labels.PROJECT}={self.name}"])
        return tuple(sorted(found, key=lambda item: item.name))

    def one(self, service: str) -> Container:
        (found,) = (item for item in self.containers() if item.labels[labels.SERVICE] == service)
        return found

    def ids(self) -> dict[str, str]:
        return {item.name.removeprefix(f"{self.name}-"): item.id for item in self.containers()}

    def sweep(self) -> None:
        """Remove whatever is left of the project."""
        own = [f"{labels.PROJECT}={self.name}"]
        volumes: set[str] = set()
        for item in self.engine.containers(own):
            volumes |= {name for name in item.volumes.values() if len(name) == 64}
            self.engine.remove_container(item.id, force=True)
        for network in self.engine.networks(own):
            self.engine.remove_network(network.id)
        for volume in volumes | {item.name for item in self.engine.volumes(own)}:
            if self.engine.find_volume(volume):
                self.engine.remove_volume(volume)
        for image in self.engine.images(own):
            for name in image.tags or (image.id,):
                self.engine.remove_image(name)
