"""How a command runs: set its voice, call its operation, answer, keep the audit trail."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome
from mcpctl.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    import typer

    from mcpctl.stack.images import BuildChoice
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import UpResult

_AFTER_USER = r"(?<=://)([^/\s:@]*):[^/\s@]+@"


def runtime_of(context: typer.Context) -> Runtime:
    """Return the invocation that a command belongs to."""
    runtime = context.obj
    if not isinstance(runtime, Runtime):
        raise TypeError("a command was run without its invocation")
    runtime.command = " ".join(context.command_path.split()[1:])
    return runtime


def answer(context: typer.Context, output: Format, operation: Callable[[Runtime], Outcome]) -> None:
    """Run a read-only operation and answer."""
    runtime = runtime_of(context)
    runtime.writer.format = output
    _finish(runtime, operation(runtime))


def plan_outcome(plan: Plan) -> Outcome:
    """Return the answer of a `--dry-run`."""
    from mcpctl.output import views

    data = {"steps": [step.to_json() for step in plan]}
    return Outcome(data, lambda console: views.plan(console, data))


def agree(runtime: Runtime, plan: Plan, question: str, *, yes: bool, typed: str = "") -> None:
    """Show a plan on stderr and go on only with a yes; with ``typed`` only that very word is one.

    Raises:
        ConfirmationRequired: neither ``--yes`` nor a terminal (exit 3).
    """
    if runtime.writer.format is Format.HUMAN and not (yes and runtime.writer.quiet):
        from mcpctl.output import views

        views.plan(runtime.writer.console(stderr=True), {"steps": [step.to_json() for step in plan]})
    runtime.require_yes(question, yes=yes, typed=typed)


def up_outcome(runtime: Runtime, result: UpResult) -> Outcome:
    """Return the answer of `up`, `start` and their kin: what was done, and how the services are."""
    from mcpctl.output import views
    from mcpctl.stack.status import by_service

    for warning in result.warnings:
        runtime.writer.warn(warning)
    services = [item for item in by_service(runtime.project, result.ready) if item.assessments]
    data = {
        "steps": [step.to_json() for step in result.steps],
        "services": [service.to_json() for service in services],
    }
    return Outcome(data, lambda console: views.up(console, data))


def leave(exit_code: int) -> NoReturn:
    """End with an exit code that is not ours to explain, as a command in a container left it.

    The parser takes 130 for a Ctrl-C of its own; it lets this exception through.
    """
    raise SystemExit(exit_code)


def build_choice(
    runtime: Runtime, ca_bundle: Path | None, *, pull: bool = False, no_cache: bool = False
) -> BuildChoice:
    """Return how to build: what is built is noted, and what a person should see is told."""
    from mcpctl.stack.images import BuildChoice

    bundle = runtime.working_directory / ca_bundle if ca_bundle else None
    return BuildChoice(pull, no_cache, runtime.state.remember_build, bundle, runtime.writer.warn)


def stream(context: typer.Context, output: Format, operation: Callable[[Runtime], Outcome]) -> None:
    """Run an operation that writes as it goes, one object a line in JSON mode, and no document at the end.

    Ctrl-C is how a person ends it, so it is not told as a failure; its exit code stays.
    """
    runtime = runtime_of(context)
    runtime.writer.format = output
    try:
        operation(runtime)
    except KeyboardInterrupt:
        leave(ExitCode.INTERRUPTED)


def handed_over(context: typer.Context, operation: Callable[[Runtime], int]) -> NoReturn:
    """Give stdin, stdout and stderr to a command in a container, and end with its exit code."""
    runtime = runtime_of(context)
    runtime.writer.format = Format.HUMAN
    try:
        code = operation(runtime)
    except KeyboardInterrupt:
        leave(ExitCode.INTERRUPTED)
    leave(code)


def change(
    context: typer.Context,
    output: Format,
    operation: Callable[[Runtime], Outcome],
    *,
    lock_wait: float = 0,
    dry_run: bool = False,
) -> None:
    """Run an operation that changes the project: under its lock, with a line in its audit trail."""
    runtime = runtime_of(context)
    runtime.writer.format = output
    if dry_run:
        look(context, output, operation)
        return
    with runtime.state.locked(runtime.command, wait=lock_wait):
        if left := runtime.state.left_behind():
            runtime.writer.warn(f"the last operation was interrupted: {left}; this one takes up from there")
        _finish(runtime, audited(runtime, operation))


def look(context: typer.Context, output: Format, operation: Callable[[Runtime], Outcome]) -> None:
    """Run a read-only operation on the project, and say when an operation was interrupted on it."""

    def run(runtime: Runtime) -> Outcome:
        if left := runtime.state.interrupted():
            runtime.writer.warn(f"the last operation was interrupted: {left}; next: mcpctl up (or down)")
        return operation(runtime)

    answer(context, output, run)


def unlocked_change(
    context: typer.Context, output: Format, operation: Callable[[Runtime], Outcome], *, foreign: int = 0
) -> None:
    """Run an operation that changes the project and itself locks it for only a part of its time.

    The last ``foreign`` words of the command line are another program's; only the first of them is noted.
    """
    runtime = runtime_of(context)
    runtime.writer.format = output
    _finish(runtime, audited(runtime, operation, foreign=foreign))


@contextmanager
def locked_part(runtime: Runtime, lock_wait: float) -> Generator[None]:
    """Hold the lock, and the journal with it, for the part of an operation that needs them."""
    with runtime.state.locked(runtime.command, wait=lock_wait):
        if left := runtime.state.left_behind():
            runtime.writer.warn(f"the last operation was interrupted: {left}; this one takes up from there")
        done = False
        try:
            yield
            done = True
        finally:
            if runtime.journal:
                runtime.journal.end(done=done)


def audited(runtime: Runtime, operation: Callable[[Runtime], Outcome], *, foreign: int = 0) -> Outcome:
    """Run an operation with its journal and write its line of the audit trail, whatever comes of it."""
    from mcpctl.state import AuditEntry

    began = time.monotonic()
    arguments = _safe_arguments(runtime.arguments, foreign)

    def audit(code: int) -> None:
        runtime.state.audit(AuditEntry(runtime.command, arguments, code, time.monotonic() - began))

    journal = runtime.state.journal(runtime.command, arguments)
    runtime.journal, runtime.abandon = journal, audit
    exit_code = int(ExitCode.INTERNAL)
    done = False
    try:
        outcome = operation(runtime)
        exit_code, done = int(outcome.exit_code), True
    except KeyboardInterrupt:
        exit_code = int(ExitCode.INTERRUPTED)
        raise
    except BaseException as ending:
        exit_code = int(getattr(ending, "exit_code", ExitCode.INTERNAL))
        raise
    finally:
        journal.end(done=done)
        audit(exit_code)
    return outcome


def _safe_arguments(words: tuple[str, ...], foreign: int) -> tuple[str, ...]:
    """Return the words of the command line without values that may be secrets.

    Nothing is known of another program's own arguments: ``mysql -pPASSWORD`` holds one, so all of them go.
    """
    hidden = max(foreign - 1, 0)
    own = words[: len(words) - hidden]
    return (*map(_safe, own), *["***"] * bool(hidden))


def _safe(word: str) -> str:
    name, equals, _ = word.partition("=")
    return f"{name}=***" if equals else re.sub(_AFTER_USER, r"\1:***@", word)


def _finish(runtime: Runtime, outcome: Outcome) -> None:
    from dataclasses import replace

    runtime.writer.answer(runtime.command, replace(outcome, warnings=tuple(runtime.writer.warnings)))
    if outcome.exit_code:
        leave(int(outcome.exit_code))
