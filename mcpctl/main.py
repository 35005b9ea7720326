"""The outermost frame: arguments in, exit code out. The only place with a broad ``except``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import ExitCode, McpctlError, UsageFault
from mcpctl.output.outcome import Format, Outcome, failed
from mcpctl.output.writer import Writer
from mcpctl.runtime import Runtime
from mcpctl.signals import Signals, Terminated

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run one invocation and return its exit code; nothing is raised."""
    from mcpctl.cli.aliases import expand

    words = expand(arguments)
    runtime = Runtime(
        environ=dict(os.environ),
        working_directory=Path.cwd(),
        arguments=tuple(words),
        writer=Writer(format=_format_of(words)),
    )
    with Signals(lambda code: _abandon(runtime, code)):
        return _guarded(runtime, words)


def _guarded(runtime: Runtime, words: Sequence[str]) -> int:
    try:
        return _dispatch(runtime, words)
    except McpctlError as error:
        return _report(runtime, failed(error, runtime.writer.warnings))
    except KeyboardInterrupt:
        return _ended(runtime, "interrupted", ExitCode.INTERRUPTED)
    except Terminated:
        return _ended(runtime, "terminated", ExitCode.TERMINATED)
    except (BrokenPipeError, SystemExit) as leaving:
        return _left(leaving)
    except Exception as error:  # noqa: BLE001 - the one place that turns a bug into an exit code
        return _internal(runtime, error)


def _dispatch(runtime: Runtime, words: Sequence[str]) -> int:
    import typer

    from mcpctl.cli.app import build_command

    command = build_command(words)
    try:
        result = command.main(list(words), prog_name="mcpctl", standalone_mode=False, obj=runtime)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except _usage_errors() as error:
        return _usage(runtime, error)
    if result == ExitCode.INTERRUPTED:  # what Typer makes of Ctrl-C
        raise KeyboardInterrupt
    return result if isinstance(result, int) else ExitCode.OK


def _usage_errors() -> type[Exception]:
    from typer.exceptions import TyperException

    return TyperException


def _usage(runtime: Runtime, error: Exception) -> int:
    """Report a command line that cannot be understood, with the help of the command it was meant for."""
    from mcpctl.cli.usage import command_of, describe, help_instead

    runtime.command = command_of(error)
    if runtime.writer.format is Format.HUMAN and (text := help_instead(error)):
        runtime.writer.note(text)
        return ExitCode.USAGE
    message, hint = describe(error)
    return _report(runtime, failed(UsageFault(message, hint=hint)))


def _report(runtime: Runtime, outcome: Outcome) -> int:
    runtime.writer.answer(runtime.command, outcome)
    return outcome.exit_code


def _left(leaving: BrokenPipeError | SystemExit) -> int:
    """Return the exit code where the reader of stdout has gone, or a library left by itself."""
    if isinstance(leaving, SystemExit) and not isinstance(leaving.__context__, BrokenPipeError):
        return leaving.code if isinstance(leaving.code, int) else ExitCode.OK
    # head or less has read enough: point stdout away so that the interpreter's own flush stays silent
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OK


def _ended(runtime: Runtime, word: str, code: ExitCode) -> int:
    # only a command that keeps a journal has a place to take up from
    hint = "run the same command again: it takes up where this one stopped" if runtime.journal else None
    error = McpctlError(word, hint=hint)
    outcome = Outcome({}, exit_code=code, warnings=runtime.writer.warnings, errors=(error,))
    return _report(runtime, outcome)


def _abandon(runtime: Runtime, code: ExitCode) -> None:
    """Leave at once: the answer and the line of the audit trail are all that there is time for."""
    runtime.abandon(code)
    for progress in runtime.shown:
        progress.close()
    error = McpctlError(
        "ended at once: what was under way was not awaited",
        hint="run the same command again: it takes up where this one stopped",
    )
    _report(runtime, Outcome({}, exit_code=code, warnings=runtime.writer.warnings, errors=(error,)))


def _internal(runtime: Runtime, error: Exception) -> int:
    import traceback

    trace = "".join(traceback.format_exception(error))
    fault = McpctlError(
        f"internal error: {type(error).__name__}: {error}",
        hint="this is a bug in mcpctl: report it with the output of the same command and -v",
    )
    code = _report(runtime, Outcome({}, exit_code=ExitCode.INTERNAL, errors=(fault,)))
    if runtime.writer.verbose:
        sys.stderr.write(trace)
    return code


def _format_of(words: Sequence[str]) -> Format:
    """Find ``-o json`` before the command line is parsed, so that a usage error speaks JSON too."""
    for at, word in enumerate(words):
        if word == "--":
            break
        value = None
        if word in {"-o", "--output"} and at + 1 < len(words):
            value = words[at + 1]
        elif word.startswith("--output="):
            value = word.removeprefix("--output=")
        elif word.startswith("-o") and not word.startswith("--"):
            value = word[2:].removeprefix("=")
        if value == Format.JSON:
            return Format.JSON
    return Format.HUMAN
