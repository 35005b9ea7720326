"""`clean`: observe, plan, apply; what fails is told at the end, when everything else is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcpctl.compose import labels
from mcpctl.errors import EngineFailed, PartlyDone
from mcpctl.stack.apply import Applier
from mcpctl.stack.executor import execute
from mcpctl.stack.observe import observe_for_down
from mcpctl.stack.plan_clean import Belongings, CleanChoice, CleanPlan, Kept, plan_clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Image
    from mcpctl.stack.observe import Observed
    from mcpctl.stack.steps import Plan, Step
    from mcpctl.stack.up import Reporter


@dataclass(frozen=True, slots=True)
class CleanWork:
    """A plan to ask about, with the snapshot that it was made from."""

    observed: Observed
    plan: CleanPlan


@dataclass(frozen=True, slots=True)
class CleanResult:
    """What went and what stays."""

    steps: Plan
    kept: tuple[Kept, ...]

    @property
    def error(self) -> PartlyDone | None:
        """Return the error that names what stays; None where all is done."""
        if not self.kept:
            return None
        names = "; ".join(f"{item.target} ({item.why})" for item in self.kept)
        return PartlyDone(
            f"not all is gone: {names}",
            hint="free what is in use, then: mcpctl clean all --dry-run",
            details={"kept": [item.to_json() for item in self.kept]},
        )


def prepare_clean(engine: Engine, project: Project, choice: CleanChoice) -> CleanWork:
    """Look at what there is and plan what goes."""
    observed = observe_for_down(engine, project)
    belongings = Belongings(observed, _built_images(engine, project, observed))
    return CleanWork(observed, plan_clean(project, belongings, choice))


def _built_images(engine: Engine, project: Project, observed: Observed) -> tuple[Image, ...]:
    """Return the images that carry the project's label, and those of its own default names without any."""
    found = engine.images([f"{labels.PROJECT}={project.name}"])
    unlabelled = [
        image
        for service in project.services.values()
        if service.build and service.image is None
        if (image := observed.images.get(service.image_name(project.name)))
        if labels.PROJECT not in image.labels
    ]
    return (*found, *unlabelled)


def clean(
    engine: Engine,
    project: Project,
    work: CleanWork,
    reporter: Reporter,
    *,
    stop_timeout: int | None = None,
) -> CleanResult:
    """Carry out a plan as far as it goes; what the engine refuses to remove is kept and told."""
    applier = Applier(engine, project, work.observed, reporter, wait_timeout=0, stop_timeout=stop_timeout)
    forgiving = _Forgiving(applier.perform, reporter)
    execute(work.plan.steps, forgiving.perform, forgiving, applier.cancel)
    done = tuple(step for step in work.plan.steps if step.id not in forgiving.refused)
    return CleanResult(done, (*work.plan.kept, *forgiving.refused.values()))


@dataclass(frozen=True, slots=True)
class _Forgiving:
    """Performs steps and goes on past what the engine refuses; steps run in several threads."""

    act: Callable[[Step], None]
    reporter: Reporter
    refused: dict[str, Kept] = field(default_factory=dict[str, Kept])

    def perform(self, step: Step) -> None:
        try:
            self.act(step)
        except EngineFailed as error:
            self.refused[step.id] = Kept(f"{step.action.split()[-1]} {step.target}", error.message)

    def planned(self, plan: Plan) -> None:
        self.reporter.planned(plan)

    def started(self, step: Step) -> None:
        self.reporter.started(step)

    def finished(self, step: Step) -> None:
        if step.id in self.refused:
            self.reporter.failed(step, EngineFailed(self.refused[step.id].why))
        else:
            self.reporter.finished(step)

    def failed(self, step: Step, error: BaseException) -> None:
        self.reporter.failed(step, error)
