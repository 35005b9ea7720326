"""The journey itself: each stage says what it did; the end is a panel with URLs and identity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from mcpctl.aws.presence import credentials_present
from mcpctl.aws.settings import sandbox_is_on
from mcpctl.doctor import diagnose_machine, find_holder, worst
from mcpctl.errors import ConfigError, CredentialsError
from mcpctl.quickstart.environment import ensure_env_file, sandbox_values, set_values
from mcpctl.quickstart.machine import Base, ensure_base_image, ensure_engine
from mcpctl.service.client import ToolService, published_url
from mcpctl.stack.images import BuildChoice, plan_stale
from mcpctl.stack.observe import observe_images
from mcpctl.stack.up import UpRequest, run_image_steps, up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Project
    from mcpctl.engine.types import EngineInfo
    from mcpctl.host.check import Check
    from mcpctl.output.progress import Progress
    from mcpctl.runtime import Runtime
    from mcpctl.stack.steps import Plan
    from mcpctl.stack.up import UpResult

VALIDATE = "aws/validate-credentials"
DEFAULT_BASE = "python:3.11-slim"


@dataclass(frozen=True, slots=True)
class QuickStartRequest:
    """What `quick-start` was asked for; ``sandbox`` None means: only where there are no credentials."""

    yes: bool = False
    sandbox: bool | None = None
    wait_timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where the journey ended."""

    engine: EngineInfo
    base: Base
    steps: Plan
    up: UpResult
    identity: Mapping[str, Any]
    backend_url: str
    frontend_url: str

    @property
    def sandbox(self) -> bool:
        """Tell whether AWS is the stack's own sandbox."""
        return bool(self.identity.get("sandbox"))

    def to_json(self) -> dict[str, object]:
        """Return the form that `quick-start -o json` prints."""
        return {
            "sandbox": self.sandbox,
            "urls": {"backend": self.backend_url, "frontend": self.frontend_url},
            "engine": self.engine.to_json(),
            "base_image": self.base.to_json(),
            "steps": [step.to_json() for step in self.steps],
            "credentials": dict(self.identity),
        }


def quick_start(runtime: Runtime, request: QuickStartRequest, progress: Progress) -> Arrival:
    """Go all the way, and nowhere twice: a second run changes nothing.

    Raises:
        EngineUnreachable: no engine answers and none can be had (exit 5).
        CredentialsError: the stack is up, but AWS refuses its credentials (exit 6).
    """
    note = runtime.writer.note
    engine = ensure_engine(
        runtime.engine,
        lambda: runtime.confirm(
            "No Docker Engine answers. Install and start the distribution's?", yes=request.yes
        ),
        progress.line,
    )
    note(f"engine: Docker Engine {engine.version} at {engine.endpoint.url}")
    _prepare_settings(runtime, request)
    base = _prepare_base(runtime, progress)
    note(f"base image: {base.name} ({_WORDS[base.how]})")
    _check(runtime)
    built = _build(runtime, progress)
    result = up(
        runtime.engine, runtime.project, UpRequest(wait_timeout=request.wait_timeout), progress, find_holder
    )
    for warning in result.warnings:
        runtime.writer.warn(warning)
    identity = _validate(runtime)
    return Arrival(
        engine=engine,
        base=base,
        steps=(*built, *result.steps),
        up=result,
        identity=identity,
        backend_url=published_url(runtime.project),
        frontend_url=published_url(runtime.project, "frontend", 80),
    )


_WORDS: dict[Literal["local", "pulled", "built"], str] = {
    "local": "was here",
    "pulled": "pulled",
    "built": "built from the distribution's archive",
}


def _prepare_settings(runtime: Runtime, request: QuickStartRequest) -> None:
    """Make ``.env`` and settle whether AWS is real or the sandbox."""
    project = runtime.project
    if ensure_env_file(project.directory):
        runtime.writer.note(f"settings: {project.directory / '.env'} written from .env.example")
        project = runtime.reload_project()
    settings = project.environment
    wanted = request.sandbox
    if wanted is None:
        wanted = credentials_present(settings, Path(settings.get("HOME", "/"))) is None
    if wanted != sandbox_is_on(settings):
        set_values(project.directory, sandbox_values(settings, on=wanted))
        project = runtime.reload_project()
    _require_sandbox(project, runtime.environ, wanted=wanted)
    source = "the sandbox, no credentials were found" if request.sandbox is None else "the sandbox"
    runtime.writer.note(f"AWS: {source if wanted else 'your own credentials'}")


def _require_sandbox(project: Project, environ: Mapping[str, str], *, wanted: bool) -> None:
    """Refuse when the shell's own variables overrule what ``.env`` now says."""
    if sandbox_is_on(project.environment) == wanted:
        return
    shell = "AWS_ENDPOINT_URL" if environ.get("AWS_ENDPOINT_URL") is not None else "--env-file"
    raise ConfigError(
        f"{shell} overrules the sandbox setting in .env",
        hint=f"unset {shell}, then run the same command again",
    )


def _prepare_base(runtime: Runtime, progress: Progress) -> Base:
    """Bring the base image; where it has another name than the files say, note that in ``.env``."""
    project = runtime.project
    wanted = next(
        (
            base
            for service in project.services.values()
            if service.build and (base := service.build.args.get("BASE_IMAGE"))
        ),
        DEFAULT_BASE,
    )
    base = ensure_base_image(runtime.engine, wanted, progress.line)
    if base.name != wanted:
        set_values(project.directory, {"MCP_BASE_IMAGE": base.name})
        runtime.reload_project()
    return base


def _check(runtime: Runtime) -> None:
    """Run `doctor` and stop where a finding would stop the work."""
    found = diagnose_machine(runtime)
    for check in found:
        if not check.ok and check.level == "warning":
            runtime.writer.warn(_line(check))
    if worst(found):
        first = next(check for check in found if not check.ok and check.level == "error")
        raise ConfigError(
            first.message,
            hint=first.hint,
            details={"checks": [check.to_json() for check in found if not check.ok]},
        )


def _line(check: Check) -> str:
    return f"{check.message} ({check.hint})" if check.hint else check.message


def _build(runtime: Runtime, progress: Progress) -> Plan:
    project, engine, state = runtime.project, runtime.engine, runtime.state
    steps = plan_stale(project, engine, observe_images(engine, project), state.built_images())
    run_image_steps(engine, project, steps, BuildChoice(remember=state.remember_build), progress)
    return steps


def _validate(runtime: Runtime) -> Mapping[str, Any]:
    """Check the credentials where they are used: in the container, through the published port."""
    service = ToolService(published_url(runtime.project), runtime.settings.get("MCP_AUTH_TOKEN") or None)
    identity = service.call(VALIDATE, {})
    if not identity.get("valid"):
        checks = cast("list[dict[str, Any]]", identity.get("checks") or [])
        refused = [check for check in checks if not check.get("ok")]
        bad: dict[str, Any] = refused[0] if refused else {}
        raise CredentialsError(
            f"the stack is up, but its AWS credentials do not work: {bad.get('message', 'refused')}",
            hint=bad.get("hint") or "mcpctl quick-start --sandbox",
            details={"source": identity.get("source"), "checks": identity.get("checks")},
        )
    return identity
