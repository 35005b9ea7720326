"""The envelope of the HTTP surface: one request form, one answer form, one error form."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final, Literal, NoReturn, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from server.faults import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.execution import Outcome

PROTOCOL: Final = "2.0"
_HINT: Final = (
    '{"message_id": "1", "message_type": "REQUEST", "protocol_version": "2.0", '
    '"params": {"tool": "aws/validate-credentials", "params": {}}}'
)


class Json(Response):
    """Answer with JSON in ASCII, so that no string that came in can fail to go out."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ToolCall(_Model):
    """Which tool, and what for."""

    tool: str = Field(min_length=1, max_length=128)
    params: dict[str, object] = Field(default_factory=dict[str, object])


class Envelope(_Model):
    """The body of ``POST /api/tools/execute``."""

    message_id: str = Field(min_length=1, max_length=128)
    message_type: Literal["REQUEST"]
    protocol_version: Literal["2.0"]
    params: ToolCall


class Malformed(Fault):
    """The envelope cannot be used; ``message_id`` is its id where it has one that can be echoed."""

    def __init__(self, message: str, details: Mapping[str, object], message_id: str | None = None) -> None:
        super().__init__(Code.INVALID_REQUEST, message, hint=f"send {_HINT}", details=details)
        self.message_id = message_id


def parse(body: bytes) -> Envelope:
    """Read an envelope.

    Raises:
        Malformed: with the place of the fault, as line and column or as the path of the member.
    """
    document = _json(body)
    try:
        return Envelope.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        where = [{"path": ".".join(map(str, p["loc"])) or "$", "message": p["msg"]} for p in problems]
        message = "; ".join(f"{item['path']}: {item['message']}" for item in where[:5])
        raise Malformed(message, {"errors": where[:20]}, _message_id(document)) from None


def success(message_id: str, outcome: Outcome) -> Json:
    """Answer a call that succeeded."""
    result = {"tool": outcome.tool, "success": True, "data": outcome.data, "duration_ms": outcome.duration_ms}
    return Json(
        {"message_id": message_id, "message_type": "RESPONSE", "protocol_version": PROTOCOL, "result": result}
    )


def failure(fault: Fault, message_id: str | None = None, status: int | None = None) -> Json:
    """Answer a call that failed; ``status`` replaces the one that goes with the code."""
    headers: dict[str, str] = {}
    if fault.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="mcp"'
    wait = fault.details.get("retry_after_seconds")
    if isinstance(wait, int | float):
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    document = {
        "message_id": message_id,
        "message_type": "ERROR",
        "protocol_version": PROTOCOL,
        "error": fault.as_json(),
    }
    return Json(document, status or fault.status, headers)


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Malformed("the body is not UTF-8", {"byte": error.start}) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        message = f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise Malformed(message, place) from None
    except RecursionError:
        raise Malformed("the body is nested too deep", {}) from None
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}", {}) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _message_id(document: object) -> str | None:
    if not isinstance(document, dict):
        return None
    value = cast("dict[str, object]", document).get("message_id")
    return value if isinstance(value, str) and len(value) <= 128 else None
