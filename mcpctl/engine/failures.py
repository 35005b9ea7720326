"""The one mapping from the Docker SDK's exceptions, and those of the HTTP libraries below it, to ours."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcpctl.engine.causes import find_cause, timed_out, unreachable
from mcpctl.errors import EngineFailed, EngineUnreachable, McpctlError, NotFound, PortTaken

if TYPE_CHECKING:
    from collections.abc import Generator

    from mcpctl.engine.types import Endpoint

_PORT_CLASH = re.compile(
    r"(?:Bind for |listen tcp[46]? |exposing port TCP )"
    r"(?P<address>[0-9a-fA-F.:\[\]]*?):(?P<port>\d+)(?: failed|:|->)"
)


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Generator[None]:
    """Turn whatever the SDK raises while ``doing`` something into one of our errors."""
    from requests import exceptions as http
    from urllib3 import exceptions as pool

    from docker import errors as sdk

    try:
        yield
    except McpctlError:
        raise
    except sdk.APIError as error:
        raise refused(endpoint, doing, _explanation(error), error.status_code) from error
    except http.ConnectTimeout as error:
        raise unreachable(endpoint, find_cause(endpoint, error)) from error
    except (http.RequestException, pool.HTTPError, OSError) as error:
        if not timed_out(error):
            raise unreachable(endpoint, find_cause(endpoint, error)) from error
        raise too_late(endpoint, doing) from error
    except (sdk.DockerException, sdk.StreamParseError) as error:
        raise _from_sdk(endpoint, doing, error) from error


def _from_sdk(endpoint: Endpoint, doing: str, error: Exception) -> McpctlError:
    """Map what is no answer of the engine: before the first answer it means that nobody is there."""
    from docker import errors as sdk

    if isinstance(error, (sdk.TLSParameterError, sdk.InvalidVersion)):
        return EngineUnreachable(
            f"the engine at {endpoint.url} ({endpoint.reason}) cannot be used: {error}",
            hint="mcpctl engine info",
        )
    if type(error) is sdk.DockerException:
        return unreachable(endpoint, find_cause(endpoint, error))
    return EngineFailed(f"{doing}: {error}", details={"endpoint": endpoint.url})


def too_late(endpoint: Endpoint, doing: str) -> EngineFailed:
    """Say that the engine took a request and did not answer it in time."""
    return EngineFailed(
        f"{doing}: the engine at {endpoint.url} did not answer in time",
        hint="mcpctl doctor",
        details={"endpoint": endpoint.url, "timed_out": True},
    )


def _explanation(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error)


def refused(endpoint: Endpoint, doing: str, explanation: str, status: int | None) -> McpctlError:
    """Return the error for an answer of the engine with an error status."""
    if status == 404:
        return NotFound(f"{doing}: {explanation}", details={"endpoint": endpoint.url})
    clash = _PORT_CLASH.search(explanation)
    if clash and ("already allocated" in explanation or "address already in use" in explanation):
        port = int(clash["port"])
        return PortTaken(
            f"{doing}: port {port} is taken",
            hint=f"free port {port}, or publish another one (.env, or ports in the compose file)",
            details={"port": port, "address": clash["address"]},
        )
    if "client version" in explanation and ("too new" in explanation or "too old" in explanation):
        hint = (
            "unset DOCKER_API_VERSION"
            if "too new" in explanation
            else "install a newer release of this program"
        )
        return EngineUnreachable(f"{doing}: {explanation}", hint=hint, details={"status": status})
    hint = "mcpctl clean images" if "no space left on device" in explanation else None
    return EngineFailed(f"{doing}: {explanation}", hint=hint, details={"status": status})
