"""Walk the way from the variables to AWS's answer, and keep what each step found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mcpctl.aws import session
from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mcpctl.aws.session import Connection, Identity, Origin

# AWS refuses signatures that are more than five minutes off.
SKEW_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Check:
    """One step: what it found, and what mends it."""

    name: str
    ok: bool
    message: str
    hint: str | None = None

    def to_json(self) -> dict[str, object]:
        """Give the step as an entry of ``checks``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the steps found, as far as they came; ``error`` is the first that failed."""

    checks: tuple[Check, ...]
    error: McpctlError | None = None
    origin: Origin | None = None
    identity: Identity | None = None
    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None
    sandbox: bool = False


def diagnose(environment: Mapping[str, str], home: Path | None = None) -> Diagnosis:
    """Resolve, sign, and ask AWS who the caller is; failures are findings, not exceptions."""
    walk = _Walk()
    try:
        with session.connect(environment, home) as aws:
            walk.go(aws)
            return walk.result(aws.profile)
    except McpctlError as error:
        walk.fail("files", error)
        return walk.result(None)


class _Walk:
    """The steps so far; one that fails ends the walk."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.error: McpctlError | None = None
        self.origin: Origin | None = None
        self.identity: Identity | None = None
        self.region: str | None = None
        self.endpoint: str | None = None
        self.sandbox = False

    def go(self, aws: Connection) -> None:
        steps: tuple[tuple[str, Callable[[Connection], str]], ...] = (
            ("region", self._find_region),
            ("credentials", self._find_origin),
            ("identity", self._ask_identity),
        )
        for name, step in steps:
            try:
                self.checks.append(Check(name, ok=True, message=step(aws)))
            except McpctlError as error:
                self.fail(name, error)
                return
        self._judge_clock()

    def fail(self, name: str, error: McpctlError) -> None:
        self.error = error
        self.checks.append(Check(name, ok=False, message=error.message, hint=error.hint))

    def result(self, profile: str | None) -> Diagnosis:
        return Diagnosis(
            tuple(self.checks),
            self.error,
            self.origin,
            self.identity,
            profile,
            self.region,
            self.endpoint,
            self.sandbox,
        )

    def _find_region(self, aws: Connection) -> str:
        self.region = aws.region()
        self.endpoint = aws.endpoint()
        return f"{self.region}, asked at {self.endpoint}"

    def _find_origin(self, aws: Connection) -> str:
        self.sandbox = aws.is_sandbox(None)
        self.origin = aws.origin()
        until = f", until {self.origin.expires_at.isoformat()}" if self.origin.expires_at else ""
        return f"from {self.origin.source}{until}"

    def _ask_identity(self, aws: Connection) -> str:
        self.identity = aws.identity()
        self.sandbox = aws.is_sandbox(self.identity.account)
        return f"{self.identity.arn} in {self.identity.latency_ms:.0f} ms"

    def _judge_clock(self) -> None:
        skew = self.identity.clock_skew_seconds if self.identity else None
        if skew is not None:
            ok = abs(skew) < SKEW_SECONDS
            hint = None if ok else "sudo timedatectl set-ntp true"
            self.checks.append(Check("clock", ok, f"{abs(skew):.0f} s off AWS's own", hint))
