"""Take secrets out of text: by value where the value is known, by pattern everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from server.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

MASK: Final = "***"
_SHORTEST: Final = 8
_PATTERNS: Final = (
    # Access key ids: IAM user guide, "unique identifiers".
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    # Security tokens of STS are long base64 that starts with one of these.
    re.compile(r"\b(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9+/=]{40,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    # `name=value`, `name: value` and `"name": "value"`, the last also inside a JSON string.
    re.compile(
        r"(?i)(?:secret_?access_?key|session_?token|security[-_]token|auth_?token|password|x-amz-signature"
        r"|x-amz-credential|x-amz-security-token|authorization)"
        r"\\?[\"']?\s*[=:]\s*\\?[\"']?(?P<value>[^\s\"'\\,&;}]{4,})"
    ),
)


class Redactor:
    """Replace secrets by ``***`` in whatever leaves the service by log or error."""

    def __init__(self) -> None:
        self._values: tuple[str, ...] = ()

    def learn(self, *values: str | None) -> None:
        """Add values that must never be shown; too short ones would mask ordinary words."""
        new = {value for value in values if value is not None and len(value) >= _SHORTEST}
        # The longest first: one secret may be part of another.
        self._values = tuple(sorted({*self._values, *new}, key=len, reverse=True))

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(_mask, text)
        return text

    def data(self, value: object) -> object:
        """Return plain JSON data with every string in it redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            members = cast("Mapping[object, object]", value)
            return {self.text(str(key)): self.data(member) for key, member in members.items()}
        if isinstance(value, list | tuple):
            return [self.data(member) for member in cast("list[object]", value)]
        return value

    def fault(self, fault: Fault) -> Fault:
        """Return ``fault`` with every text in it redacted."""
        details = {key: self.data(value) for key, value in fault.details.items()}
        hint = None if fault.hint is None else self.text(fault.hint)
        return Fault(
            fault.code, self.text(fault.message), hint=hint, details=details, retryable=fault.retryable
        )


def _mask(match: re.Match[str]) -> str:
    value = match.groupdict().get("value")
    return MASK if value is None else match[0].replace(value, MASK)
