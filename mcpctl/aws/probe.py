"""Try the way to AWS end to end: `mcpctl aws test`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.aws import settings as aws_settings
from mcpctl.aws.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcpctl.aws.diagnosis import Diagnosis
    from mcpctl.errors import McpctlError


@dataclass(frozen=True, slots=True)
class Probe:
    """Each step from the variables to AWS's answer, with the time it took."""

    diagnosis: Diagnosis
    variables: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether every step worked."""
        return all(check.ok for check in self.diagnosis.checks)

    @property
    def error(self) -> McpctlError | None:
        """Give the first failure, with its exit code and hint."""
        return self.diagnosis.error

    def to_json(self) -> dict[str, object]:
        """Give the ``data`` of ``aws test``; of variables only the names."""
        found, identity = self.diagnosis, self.diagnosis.identity
        return {
            "ok": self.ok,
            "source": found.origin.source if found.origin else None,
            "profile": found.profile,
            "region": found.region,
            "endpoint": found.endpoint,
            "latency_ms": identity.latency_ms if identity else None,
            "clock_skew_seconds": identity.clock_skew_seconds if identity else None,
            "variables": list(self.variables),
            "sandbox": found.sandbox,
            "checks": [check.to_json() for check in found.checks],
        }


def probe(environment: Mapping[str, str], home: Path | None = None) -> Probe:
    """Resolve, sign, call and time it; failures are findings."""
    settings = aws_settings.effective(environment, home)
    names = sorted(name for name in settings.variables if environment.get(name))
    return Probe(diagnose(environment, home), tuple(names))
