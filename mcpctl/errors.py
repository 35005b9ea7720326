"""The error tree. Every failure that a user can cause or meet is one of these.

    McpctlError                 1   failed
    ├── UsageFault              2   usage
    ├── ConfirmationRequired    3   confirmation_required
    ├── ConfigError             4   config_invalid
    ├── EngineUnreachable       5   engine_unreachable
    ├── CredentialsError        6   credentials_invalid
    ├── Unhealthy               7   unhealthy
    ├── Locked                  8   locked
    ├── PartlyDone              9   partly_done
    ├── NotFound               10   not_found
    ├── VerificationFailed     11   verification_failed
    ├── RolledBack             12   rolled_back
    ├── EngineFailed            1   engine_failed
    │   └── PortTaken           1   port_taken
    ├── ServiceUnreachable      1   service_unreachable
    └── ToolFailed              1   tool_failed

Foreign exceptions never travel past the room that knows their library.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExitCode(IntEnum):
    """The exit codes that scripts rely on; the one place that names them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIRMATION_REQUIRED = 3
    CONFIG_INVALID = 4
    ENGINE_UNREACHABLE = 5
    CREDENTIALS_INVALID = 6
    UNHEALTHY = 7
    LOCKED = 8
    PARTLY_DONE = 9
    NOT_FOUND = 10
    VERIFICATION_FAILED = 11
    ROLLED_BACK = 12
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class McpctlError(Exception):
    """Report a failure with what it is about and what to type next.

    ``hint`` is a command or a setting. ``details`` are plain JSON values that name the objects involved.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class UsageFault(McpctlError):
    """The command line cannot be understood."""

    code = "usage"
    exit_code = ExitCode.USAGE


class ConfirmationRequired(McpctlError):
    """A destructive command was given neither ``--yes`` nor a terminal."""

    code = "confirmation_required"
    exit_code = ExitCode.CONFIRMATION_REQUIRED


class ConfigError(McpctlError):
    """A compose file, an env file or an option value is invalid."""

    code = "config_invalid"
    exit_code = ExitCode.CONFIG_INVALID


class EngineUnreachable(McpctlError):
    """No Docker Engine answers at the chosen endpoint."""

    code = "engine_unreachable"
    exit_code = ExitCode.ENGINE_UNREACHABLE


class CredentialsError(McpctlError):
    """AWS credentials are missing, expired or refused."""

    code = "credentials_invalid"
    exit_code = ExitCode.CREDENTIALS_INVALID


class Unhealthy(McpctlError):
    """A service is unhealthy, or did not become healthy in time."""

    code = "unhealthy"
    exit_code = ExitCode.UNHEALTHY


class Locked(McpctlError):
    """Another mcpctl works on the same project."""

    code = "locked"
    exit_code = ExitCode.LOCKED


class PartlyDone(McpctlError):
    """Some of the work was done and some failed."""

    code = "partly_done"
    exit_code = ExitCode.PARTLY_DONE


class NotFound(McpctlError):
    """There is no such service, backup, tool or profile."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND


class VerificationFailed(McpctlError):
    """A check of stored data failed."""

    code = "verification_failed"
    exit_code = ExitCode.VERIFICATION_FAILED


class RolledBack(McpctlError):
    """The operation failed and the former state was brought back."""

    code = "rolled_back"
    exit_code = ExitCode.ROLLED_BACK


class EngineFailed(McpctlError):
    """The Docker Engine refused or failed a request."""

    code = "engine_failed"


class PortTaken(EngineFailed):
    """A port that a service publishes is held by somebody else."""

    code = "port_taken"


class ServiceUnreachable(McpctlError):
    """The tool service does not answer over HTTP."""

    code = "service_unreachable"


class ToolFailed(McpctlError):
    """The tool service answered a call with an error."""

    code = "tool_failed"
