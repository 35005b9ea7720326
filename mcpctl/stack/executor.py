"""Run a plan: every step as soon as those it needs are done, independent ones side by side."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mcpctl.stack.failures import together
from mcpctl.stack.interrupts import Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.stack.steps import Plan, Step

WORKERS = 8


class Progress(Protocol):
    """What is told while a plan runs; called from several threads."""

    def planned(self, plan: Plan) -> None:
        """These steps are about to run."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step) -> None:
        """A step is done."""

    def failed(self, step: Step, error: BaseException) -> None:
        """A step failed; what needs it will not run."""


def execute(
    plan: Plan,
    perform: Callable[[Step], None],
    progress: Progress,
    cancel: Callable[[], None] = lambda: None,
) -> None:
    """Run all steps; after the first failure nothing new starts, what runs is awaited, then all is raised.

    Ctrl-C and SIGTERM count as a failure: steps under way end in order before they act. ``cancel`` is then
    called, and at the first failure, to cut short the steps that only wait.
    """
    progress.planned(plan)
    interrupts = Interrupts(cancel)
    with interrupts, ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="step") as pool:
        left, failures = _Run(pool, perform, progress, cancel).all(plan, interrupts)
    interrupts.raise_received()
    if failures:
        raise together(failures)
    if left:
        raise AssertionError(f"steps that can never run: {', '.join(step.id for step in left)}")


@dataclass(frozen=True, slots=True)
class _Run:
    pool: ThreadPoolExecutor
    perform: Callable[[Step], None]
    progress: Progress
    cancel: Callable[[], None]

    def all(self, plan: Plan, interrupts: Interrupts) -> tuple[list[Step], list[BaseException]]:
        """Return the steps that did not run, and the failures."""
        left, done = list(plan), set[str]()
        running: dict[Future[None], Step] = {}
        failures: list[BaseException] = []
        while True:
            if not failures and not interrupts.received:
                for step in [item for item in left if done.issuperset(item.needs)]:
                    left.remove(step)
                    running[self.pool.submit(_run, step, self.perform, self.progress)] = step
            if not running:
                return left, failures
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                if error := future.exception():
                    failures.append(error)
                    self.cancel()
                else:
                    done.add(step.id)


def _run(step: Step, perform: Callable[[Step], None], progress: Progress) -> None:
    progress.started(step)
    try:
        perform(step)
    except BaseException as error:
        progress.failed(step, error)
        raise
    progress.finished(step)
