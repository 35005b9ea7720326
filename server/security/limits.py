"""What a request may carry: JSON only, and not too much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from server.faults import Code, Fault

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def has_body(scope: Scope) -> bool:
    """Tell whether the request's method carries a body."""
    return scope.get("method") in _WITH_BODY


def check_media_type(scope: Scope) -> None:
    """Refuse a body that does not say it is JSON, which also keeps out what HTML forms can send.

    Raises:
        Fault: UNSUPPORTED_MEDIA_TYPE.
    """
    media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Fault(
            Code.UNSUPPORTED_MEDIA_TYPE,
            f"the content type is {media_type or 'missing'}, not application/json",
            hint="send the header Content-Type: application/json",
        )


async def buffered(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Read the body, at most ``limit`` bytes of it, and return a channel that plays it back.

    Raises:
        Fault: TOO_LARGE, before reading when the request announces its length.
    """
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    played: list[Message] = []
    size = 0
    while True:
        message = await receive()
        played.append(message)
        size += len(message.get("body", b""))
        if size > limit:
            raise _too_large(limit)
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    played.reverse()

    async def replay() -> Message:
        return played.pop() if played else await receive()

    return replay


def _too_large(limit: int) -> Fault:
    return Fault(
        Code.TOO_LARGE,
        f"the body is larger than {limit} bytes",
        hint="send less, or raise MCP_MAX_BODY_BYTES",
        details={"limit_bytes": limit},
    )
