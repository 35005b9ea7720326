"""One project and one engine in memory: plan against it, or bring it up for real."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpctl.compose.load import LoadRequest, load
from mcpctl.stack.apply import Applier
from mcpctl.stack.executor import execute
from mcpctl.stack.observe import observe, observe_for_down
from mcpctl.stack.plan import UpChoice, plan_up
from mcpctl.stack.plan_down import DownChoice, plan_down

if TYPE_CHECKING:
    from pathlib import Path

    from mcpctl.compose.model import Project
    from mcpctl.stack.readiness import Assessment
    from mcpctl.stack.steps import Plan, Step
    from tests.fakes.engine import FakeEngine


TWO = """
    services:
      backend:
        image: b:1
        environment: {LEVEL: info, API_TOKEN: hidden}
        volumes: ["data:/data"]
        healthcheck: {test: [CMD, "true"]}
      frontend:
        image: f:1
        depends_on: {backend: {condition: service_healthy}}
    volumes: {data: {}}
"""


@dataclass
class Silence:
    """Hears everything and says nothing; keeps what it heard."""

    heard: list[str] = field(default_factory=list[str])

    def planned(self, plan: Plan) -> None:
        """The steps themselves are heard."""

    def started(self, step: Step) -> None:
        self.heard.append(f"started {step.id}")

    def finished(self, step: Step) -> None:
        self.heard.append(f"finished {step.id}")

    def failed(self, step: Step, error: BaseException) -> None:
        self.heard.append(f"failed {step.id}: {error}")

    def assessed(self, service: str, assessment: Assessment) -> None:
        self.heard.append(f"{service} {assessment.status}")

    def line(self, text: str) -> None:
        self.heard.append(text)


@dataclass
class World:
    engine: FakeEngine
    folder: Path
    text: str = ""
    warnings: list[str] = field(default_factory=list[str])

    def file(self, text: str) -> Project:
        """Write the compose file and return the project ``p``; its images are there."""
        self.text = textwrap.dedent(text)
        (self.folder / "compose.yaml").write_text(self.text)
        for service in self.project.services.values():
            name = service.image_name("p")
            if self.engine.find_image(name) is None:
                self.engine.add_image(name)
        return self.project

    @property
    def project(self) -> Project:
        return self.load()

    def load(self, profiles: tuple[str, ...] = ()) -> Project:
        home = {"HOME": str(self.folder)}
        return load(LoadRequest(self.folder, home, project_name="p", profiles=profiles))

    def plan(self, **choice: Any) -> Plan:
        return self.plan_of(self.project, **choice)

    def plan_of(self, project: Project, **choice: Any) -> Plan:
        return plan_up(project, observe(self.engine, project), UpChoice(**choice))

    def lines(self, **choice: Any) -> list[str]:
        """Return the plan of `up` as text, the ids in it shortened to their service."""
        return [str(step) for step in self.plan(**choice)]

    def down_plan(self, **choice: Any) -> Plan:
        wanted = DownChoice(**choice)
        observed = observe_for_down(self.engine, self.project)
        return plan_down(self.project, observed, wanted)

    def down_lines(self, **choice: Any) -> list[str]:
        return [str(step) for step in self.down_plan(**choice)]

    def up(self, *, wait_timeout: float = 5, **choice: Any) -> list[str]:
        """Carry the plan out and return the calls that it made."""
        return self.run(self.plan(**choice), wait_timeout=wait_timeout)

    def run(self, plan: Plan, **settings: Any) -> list[str]:
        self.engine.calls.clear()
        watch = Silence()
        applier = Applier(
            self.engine,  # type: ignore[arg-type] - stands in for the engine
            self.project,
            observe(self.engine, self.project, oneoffs=True),  # type: ignore[arg-type] - as above
            watch,
            **{"wait_timeout": 5, **settings},
        )
        execute(plan, applier.perform, watch, applier.cancel)
        self.warnings = applier.warnings
        return list(self.engine.calls)


def order(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what each step waits for."""
    return {step.id: step.needs for step in plan}


def before(plan: Plan, first: str, later: str) -> bool:
    """Tell whether one step is sure to be done before another begins."""
    needs = order(plan)
    waiting = list(needs[later])
    seen: set[str] = set()
    while waiting:
        step = waiting.pop()
        if step == first:
            return True
        if step not in seen:
            seen.add(step)
            waiting += needs[step]
    return False
