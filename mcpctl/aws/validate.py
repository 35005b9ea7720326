"""Say whether the credentials work: `mcpctl aws validate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcpctl.aws.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mcpctl.aws.diagnosis import Diagnosis
    from mcpctl.errors import McpctlError


@dataclass(frozen=True, slots=True)
class Validation:
    """What AWS said of the credentials, and each step that led there."""

    diagnosis: Diagnosis

    @property
    def valid(self) -> bool:
        """Tell whether AWS accepted the credentials."""
        return self.diagnosis.identity is not None

    @property
    def error(self) -> McpctlError | None:
        """Give the failure, with its exit code and hint, when they are not valid."""
        return self.diagnosis.error

    def to_json(self) -> dict[str, object]:
        """Give the ``data`` of ``aws validate``."""
        found = self.diagnosis
        expires_at = found.origin.expires_at if found.origin else None
        return {
            "valid": self.valid,
            "account": found.identity.account if found.identity else None,
            "arn": found.identity.arn if found.identity else None,
            "user_id": found.identity.user_id if found.identity else None,
            "source": found.origin.source if found.origin else None,
            "profile": found.profile,
            "region": found.region,
            "expires_at": expires_at.isoformat() if expires_at else None,
            "sandbox": found.sandbox,
            "checks": [check.to_json() for check in found.checks],
        }


def validate(environment: Mapping[str, str], home: Path | None = None) -> Validation:
    """Ask AWS whether the credentials in effect work; a refusal is an answer, not an exception."""
    return Validation(diagnose(environment, home))
