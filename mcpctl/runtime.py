"""What one invocation needs, built when first asked for and handed down. No globals."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError, ConfirmationRequired, McpctlError
from mcpctl.output.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.compose.load import LoadRequest
    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Endpoint
    from mcpctl.journal import Journal
    from mcpctl.output.progress import Progress
    from mcpctl.state import State


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that stand before the command."""

    project_directory: Path | None = None
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    project_name: str | None = None
    profiles: tuple[str, ...] = ()
    host: str | None = None
    context: str | None = None


@dataclass
class Runtime:
    """One invocation: its options, its environment, its voice, and what is opened on demand."""

    environ: Mapping[str, str]
    working_directory: Path
    arguments: tuple[str, ...] = ()
    options: GlobalOptions = field(default_factory=GlobalOptions)
    writer: Writer = field(default_factory=Writer)
    command: str = ""
    journal: Journal | None = None
    """Where the steps of the operation under way are noted; None for what changes nothing."""
    shown: list[Progress] = field(default_factory=list["Progress"])
    """What may be drawing on the terminal."""
    abandon: Callable[[int], None] = lambda _exit_code: None
    """What is left to do before the process ends at once, with this exit code."""

    def load_request(self, extra_profiles: tuple[str, ...] = ()) -> LoadRequest:
        """Return what the compose room needs to find and read the project."""
        from mcpctl.compose.load import LoadRequest

        return LoadRequest(
            working_directory=self.working_directory,
            environ=self.environ,
            project_directory=self.options.project_directory,
            files=self.options.files,
            env_files=self.options.env_files,
            project_name=self.options.project_name,
            profiles=(*self.options.profiles, *extra_profiles),
        )

    @cached_property
    def project(self) -> Project:
        """Return the resolved project; its warnings are told once."""
        from mcpctl.compose.load import load

        project = load(self.load_request())
        for warning in project.warnings:
            self.writer.warn(warning)
        return project

    def reload_project(self) -> Project:
        """Read the project's files again, after one of them was written."""
        self.__dict__.pop("project", None)
        return self.project

    @property
    def project_if_any(self) -> Project | None:
        """Return the project, or None where there is no project file; a broken one still raises."""
        from mcpctl.compose.load import find_files

        named = self.options.files or self.environ.get("COMPOSE_FILE")
        if "project" not in self.__dict__ and not named:
            try:
                find_files(self.load_request())
            except ConfigError:
                return None
        return self.project

    @property
    def settings(self) -> Mapping[str, str]:
        """Return the environment that counts: the process's over the project's ``.env``."""
        project = self.project_if_any
        return project.environment if project else self.environ

    @cached_property
    def endpoint(self) -> Endpoint:
        """Return where the engine is asked for."""
        from mcpctl.engine.endpoint import discover

        return discover(self.environ, host=self.options.host, context=self.options.context)

    @cached_property
    def engine(self) -> Engine:
        """Return the engine; it connects at its first call."""
        from mcpctl.engine.client import Engine

        return Engine(self.endpoint)

    @cached_property
    def state(self) -> State:
        """Return the project's state folder."""
        from mcpctl.state import State

        return State(self.project.directory, self.writer.warn)

    def progress(self) -> Progress:
        """Return a fresh reporter of progress."""
        from mcpctl.output.progress import Progress

        self.shown.append(Progress(self.writer, self.journal))
        return self.shown[-1]

    def confirm(self, question: str, *, yes: bool, typed: str = "") -> bool:
        """Ask before something destructive or costly; with ``typed`` only that very word is a yes.

        Raises:
            ConfirmationRequired: neither ``--yes`` nor a terminal (exit 3).
        """
        if yes:
            return True
        if not self.writer.interactive:
            raise ConfirmationRequired(
                f"there is no terminal to ask on: {question}",
                hint=f"mcpctl {shlex.join(self.arguments)} --yes",
                details={"question": question},
            )
        import sys

        sys.stderr.write(f"{question} Type {typed} to go on: " if typed else f"{question} [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip()
        return answer == typed if typed else answer.lower() in {"y", "yes"}

    def require_yes(self, question: str, *, yes: bool, typed: str = "") -> None:
        """Go on only with a yes; anything else ends the command before it changed anything."""
        if not self.confirm(question, yes=yes, typed=typed):
            hint = f"type {typed}, or give --yes" if typed else "answer y, or give --yes"
            raise McpctlError("not confirmed: nothing was changed", hint=hint)
