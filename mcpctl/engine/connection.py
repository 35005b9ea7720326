"""Open the SDK's client on an endpoint: TLS, ssh, the API version. The first call is bounded in time.

The SDK's own ways are not used where they fail: its ssh needs paramiko and gives no real socket, its TLS is
overruled by ``REQUESTS_CA_BUNDLE``, and it asks for the version with the limit of an ordinary call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.engine.causes import Cause, no_answer, plain_on_tls, timed_out, unreachable
from mcpctl.engine.endpoint import OLDEST_API
from mcpctl.engine.local import Request
from mcpctl.engine.types import EngineVersion
from mcpctl.errors import ConfigError, EngineFailed, EngineUnreachable, NotFound

if TYPE_CHECKING:
    from mcpctl.engine.local import Local
    from mcpctl.engine.types import Endpoint

CALL_TIMEOUT = 60
"""Seconds that one ordinary call may take; long ones (stop, pull, build) bring their own limit."""
FIRST_ANSWER_SECONDS = 10
"""How long the engine may take to say that it is there."""
SSH_SECONDS = 20
"""The same through ssh, which has a connection to make and a program to start first."""
NEWEST_API = (1, 45)
"""The newest version that is spoken, whatever an engine offers: the newest that the tests run with."""

Version = tuple[int, int]


def connect(endpoint: Endpoint) -> Any:
    """Return the SDK's low-level client, its API version negotiated; it ships no types.

    Raises:
        EngineUnreachable: what answers is no Docker Engine, or one too old.
        ConfigError: the API version that the environment asks for is newer than the engine's.
    """
    client = _client(endpoint)
    try:
        _settle_version(client, endpoint)
    except BaseException:
        client.close()
        raise
    return client


def _client(endpoint: Endpoint) -> Any:
    from docker import APIClient

    scheme = endpoint.url.partition("://")[0]
    options: dict[str, Any] = {"version": _written(OLDEST_API), "timeout": CALL_TIMEOUT}
    if scheme == "ssh":
        from mcpctl.engine.ssh import SshAdapter

        # a socket's client that never connects: its adapter is replaced
        client: Any = APIClient(base_url="unix:///ssh", **options)
        client.mount("http+docker://", SshAdapter(endpoint.url))
    else:
        client = APIClient(base_url=endpoint.url, tls=endpoint.tls is not None, **options)
    # netrc and certificate bundles of the environment are not for engines; the SDK's session reads both
    client.trust_env = False
    if scheme == "tcp":
        from requests.utils import get_environ_proxies

        client.proxies = get_environ_proxies(client.base_url)
    if endpoint.tls is not None:
        from mcpctl.engine.tls import TlsAdapter

        client.verify = endpoint.tls.verify
        client.mount("https://", TlsAdapter(endpoint))
    return client


def _settle_version(client: Any, endpoint: Endpoint) -> None:
    answer = _first_answer(client, endpoint)
    told = answer.headers.get("Api-Version", "")
    if answer.status_code != 200 or numbers(told) is None:
        reason = answer.text.strip().splitlines()[0][:200] if answer.text.strip() else "an empty answer"
        raise _no_engine(endpoint, f"HTTP {answer.status_code}, {reason}")
    client._version = settle_version(endpoint, told)  # noqa: SLF001 - the SDK sets it when created, which would connect


def introduce(engine: Local, doing: str) -> EngineVersion:
    """Ask a local engine who it is, without the SDK.

    Raises:
        EngineUnreachable: what answers is no Docker Engine, one too old, or it gives no answer.
    """
    try:
        told = engine.call(doing, Request("GET", "/version", {}))
        return EngineVersion(str(told["Version"]), settle_version(engine.endpoint, str(told["ApiVersion"])))
    except (NotFound, EngineFailed) as error:
        if error.details.get("timed_out"):
            raise unreachable(engine.endpoint, no_answer(engine.endpoint, engine.timeout)) from error
        raise _no_engine(engine.endpoint, error.message) from error
    except (TypeError, KeyError) as error:
        raise _no_engine(engine.endpoint, "an answer without a version") from error


def settle_version(endpoint: Endpoint, told: str) -> str:
    """Return the API version to speak with an engine that speaks ``told`` and older ones.

    Raises:
        EngineUnreachable: the engine is too old.
        ConfigError: the version that the environment asks for is newer than the engine's.
    """
    newest = numbers(told)
    if newest is None or newest < OLDEST_API:
        raise EngineUnreachable(
            f"the engine at {endpoint.url} ({endpoint.reason}) speaks API {told}; "
            f"mcpctl needs {_written(OLDEST_API)} or newer",
            hint="install Docker Engine 20.10 or newer",
            details={"endpoint": endpoint.url, "api_version": told},
        )
    wanted = numbers(endpoint.api_version or "")
    if wanted and wanted > newest:
        raise ConfigError(
            f"DOCKER_API_VERSION={endpoint.api_version} is newer than what the engine at {endpoint.url} "
            f"speaks: {told}",
            hint="unset DOCKER_API_VERSION",
        )
    return _written(wanted or min(newest, NEWEST_API))


def _first_answer(client: Any, endpoint: Endpoint) -> Any:
    from requests.exceptions import RequestException

    seconds = SSH_SECONDS if endpoint.url.startswith("ssh://") else FIRST_ANSWER_SECONDS
    try:
        return client.get(f"{client.base_url}/_ping", timeout=seconds)
    except RequestException as error:
        if not timed_out(error):
            raise
        raise unreachable(endpoint, no_answer(endpoint, seconds)) from error


def numbers(version: str) -> Version | None:
    """Read ``1.41``; None where it is no version."""
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _written(version: Version) -> str:
    return ".".join(map(str, version))


def _no_engine(endpoint: Endpoint, reason: str) -> EngineUnreachable:
    if "HTTP request to an HTTPS server" in reason:
        return unreachable(endpoint, plain_on_tls(endpoint))
    what = f"what answers there is no Docker Engine: {reason}"
    return unreachable(endpoint, Cause(what, f"check {endpoint.reason}, or name another engine with --host"))
