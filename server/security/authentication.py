"""Who calls: the bearer token, compared in constant time."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from server.faults import Code, Fault

if TYPE_CHECKING:
    from starlette.types import Scope

    from server.settings import Secret

_CALLER: Final = "server.caller"
ANONYMOUS: Final = "anonymous"


def authenticate(scope: Scope, token: Secret | None) -> None:
    """Write into ``scope`` who calls; without a configured token everybody is authenticated, by no name."""
    if token is None:
        scope[_CALLER] = ANONYMOUS
        return
    scheme, _, presented = Headers(scope=scope).get("authorization", "").partition(" ")
    matches = hmac.compare_digest(presented.strip().encode(), token.reveal().encode())
    if scheme.lower() == "bearer" and matches:
        scope[_CALLER] = "token"


def require(scope: Scope) -> None:
    """Refuse a caller that is not authenticated.

    Raises:
        Fault: UNAUTHENTICATED, saying whether a token is missing or wrong.
    """
    if is_authenticated(scope):
        return
    presented = "authorization" in Headers(scope=scope)
    raise Fault(
        Code.UNAUTHENTICATED,
        "the bearer token is wrong" if presented else "a bearer token is required",
        hint="send the header Authorization: Bearer with the value of MCP_AUTH_TOKEN",
    )


def is_authenticated(scope: Scope) -> bool:
    """Tell whether the caller may see more than the public answers."""
    return _CALLER in scope


def caller_of(scope: Scope) -> str:
    """Return the caller's name for logs and limits."""
    return str(scope.get(_CALLER, ANONYMOUS))
