"""The failures that a caller can see: one code, one HTTP status, one remedy each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Code(StrEnum):
    """The error codes that clients rely on."""

    INVALID_REQUEST = "INVALID_REQUEST"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    TOOL_NOT_FOUND = "TOOL_NOT_FOUND"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    INVALID_PARAMS = "INVALID_PARAMS"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL = "INTERNAL"
    AWS_ERROR = "AWS_ERROR"
    DRAINING = "DRAINING"
    TIMEOUT = "TIMEOUT"


STATUS: Final[Mapping[Code, int]] = {
    Code.INVALID_REQUEST: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.TOOL_NOT_FOUND: 404,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.INVALID_PARAMS: 422,
    Code.RATE_LIMITED: 429,
    Code.INTERNAL: 500,
    Code.AWS_ERROR: 502,
    Code.DRAINING: 503,
    Code.TIMEOUT: 504,
}


class Fault(Exception):
    """Report a failure to the caller; ``retryable`` says that the same call may succeed later."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = dict(details or {})
        self.retryable = retryable

    @property
    def status(self) -> int:
        """Return the HTTP status that goes with the code."""
        return STATUS[self.code]

    def as_json(self) -> dict[str, object]:
        """Return the ``error`` member of an envelope."""
        return {
            "code": self.code.value,
            "message": self.message,
            "hint": self.hint,
            "details": self.details,
            "retryable": self.retryable,
        }
