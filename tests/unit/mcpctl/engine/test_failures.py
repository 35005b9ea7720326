"""No exception of the Docker SDK, or of the HTTP libraries below it, leaves the engine room."""

from __future__ import annotations

import inspect

import docker.errors
import pytest
import requests
import requests.exceptions
import urllib3.exceptions

from mcpctl.engine.failures import translated
from mcpctl.engine.types import Endpoint
from mcpctl.errors import ConfigError, EngineFailed, EngineUnreachable, McpctlError, NotFound, PortTaken

HERE = Endpoint("unix:///var/run/docker.sock", "the default socket")
THERE = Endpoint("tcp://10.0.0.9:2375", "DOCKER_HOST")


def answer(status: int) -> requests.Response:
    found = requests.Response()
    found.status_code = status
    found._content = b'{"message": "said by the engine"}'
    return found


def api_error(explanation: str, status: int = 500) -> docker.errors.APIError:
    return docker.errors.APIError("failed", response=answer(status), explanation=explanation)


DECIDED: dict[str, tuple[Exception, type[McpctlError]]] = {
    "APIError": (api_error("said"), EngineFailed),
    "NotFound": (docker.errors.NotFound("gone", response=answer(404)), NotFound),
    "ImageNotFound": (docker.errors.ImageNotFound("gone", response=answer(404)), NotFound),
    "DockerException": (docker.errors.DockerException("Connection refused"), EngineUnreachable),
    "InvalidVersion": (docker.errors.InvalidVersion("1.10"), EngineUnreachable),
    "TLSParameterError": (docker.errors.TLSParameterError("no key"), EngineUnreachable),
    "InvalidRepository": (docker.errors.InvalidRepository("x"), EngineFailed),
    "InvalidConfigFile": (docker.errors.InvalidConfigFile("x"), EngineFailed),
    "InvalidArgument": (docker.errors.InvalidArgument("x"), EngineFailed),
    "DeprecatedMethod": (docker.errors.DeprecatedMethod("x"), EngineFailed),
    "ContainerError": (docker.errors.ContainerError("c", 1, "cmd", "img", b"err"), EngineFailed),
    "StreamParseError": (docker.errors.StreamParseError("x"), EngineFailed),
    "BuildError": (docker.errors.BuildError("x", iter(())), EngineFailed),
    "ImageLoadError": (docker.errors.ImageLoadError("x"), EngineFailed),
    "NullResource": (docker.errors.NullResource("x"), EngineFailed),
    "MissingContextParameter": (docker.errors.MissingContextParameter("x"), EngineFailed),
    "ContextAlreadyExists": (docker.errors.ContextAlreadyExists("x"), EngineFailed),
    "ContextException": (docker.errors.ContextException("x"), EngineFailed),
    "ContextNotFound": (docker.errors.ContextNotFound("x"), EngineFailed),
}


def raised_through(error: BaseException, endpoint: Endpoint = HERE) -> McpctlError:
    with pytest.raises(McpctlError) as caught, translated(endpoint, "doing it"):
        raise error
    return caught.value


def test_every_error_class_of_the_sdk_was_decided_on() -> None:
    known = {
        name
        for name, item in vars(docker.errors).items()
        if inspect.isclass(item) and issubclass(item, Exception) and item.__module__ == "docker.errors"
    }
    assert known == set(DECIDED)


@pytest.mark.parametrize("name", sorted(DECIDED))
def test_an_sdk_error_becomes_ours(name: str) -> None:
    error, expected = DECIDED[name]
    found = raised_through(error)
    assert type(found) is expected
    assert found.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectionError("('Connection aborted.', ConnectionRefusedError(111))"),
        requests.exceptions.ChunkedEncodingError("broken"),
        requests.exceptions.ConnectTimeout("slow"),
        urllib3.exceptions.ProtocolError("Connection broken"),
        FileNotFoundError(2, "No such file or directory"),
        ConnectionResetError(104, "reset"),
    ],
)
def test_a_broken_connection_means_that_nobody_answers(error: Exception) -> None:
    found = raised_through(error)
    assert type(found) is EngineUnreachable
    assert "unix:///var/run/docker.sock (the default socket)" in found.message
    assert found.hint == "mcpctl engine start"


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("slow"),
        urllib3.exceptions.ReadTimeoutError(None, "/x", "Read timed out."),  # type: ignore[arg-type] - no pool
        TimeoutError("timed out"),
        requests.exceptions.ConnectionError(urllib3.exceptions.ReadTimeoutError(None, "/x", "slow")),  # type: ignore[arg-type] - no pool
    ],
)
def test_an_answer_too_long_in_coming_is_no_missing_engine(error: Exception) -> None:
    found = raised_through(error)
    assert type(found) is EngineFailed
    assert "did not answer in time" in found.message


def test_an_error_of_ours_passes_unchanged() -> None:
    ours = ConfigError("mine")
    assert raised_through(ours) is ours


def test_a_mistake_of_ours_is_not_disguised() -> None:
    with pytest.raises(KeyError), translated(HERE, "doing it"):
        raise KeyError("bug")


@pytest.mark.parametrize(
    ("endpoint", "error", "hint"),
    [
        (HERE, PermissionError(13, "Permission denied"), "usermod -aG docker"),
        (THERE, ConnectionRefusedError(111, "Connection refused"), "check DOCKER_HOST"),
        (HERE, ConnectionRefusedError(111, "Connection refused"), "mcpctl engine start"),
    ],
)
def test_the_hint_fits_the_reason(endpoint: Endpoint, error: Exception, hint: str) -> None:
    found = raised_through(error, endpoint)
    assert hint in found.hint
    assert found.details == {"endpoint": endpoint.url, "chosen_by": endpoint.reason}


FAILED = "driver failed programming external connectivity on endpoint web (abc): "
PROXY = "Error starting userland proxy: listen"
IN_USE = "bind: address already in use"
CLASHES = [
    (f"{FAILED}Bind for 0.0.0.0:8080 failed: port is already allocated", "0.0.0.0"),
    (f"{FAILED}{PROXY} tcp4 127.0.0.1:8080: {IN_USE}", "127.0.0.1"),
    (f"{PROXY} tcp6 [::1]:8080: {IN_USE}", "[::1]"),
    (f"{FAILED}failed to bind port 127.0.0.1:8080/tcp: {PROXY} tcp4 127.0.0.1:8080: {IN_USE}", "127.0.0.1"),
    (
        f"exposing port TCP 127.0.0.1:8080 -> 127.0.0.1:0: listen tcp 127.0.0.1:8080: {IN_USE}",
        "127.0.0.1",
    ),
]
"""How engines 20.10 and 26, and Docker Desktop, say that a port is taken."""


@pytest.mark.parametrize(("text", "address"), CLASHES)
def test_a_taken_port_is_told_by_its_number(text: str, address: str) -> None:
    found = raised_through(api_error(text))
    assert type(found) is PortTaken
    assert found.details == {"port": 8080, "address": address}
    assert found.message == "doing it: port 8080 is taken"


def test_other_refusals_keep_the_engines_words() -> None:
    found = raised_through(api_error("Conflict. The container name is already in use", 409))
    assert type(found) is EngineFailed
    assert found.message == "doing it: Conflict. The container name is already in use"
    assert found.details == {"status": 409}


def test_a_full_disk_names_what_frees_space() -> None:
    found = raised_through(api_error("write /x: no space left on device"))
    assert found.hint == "mcpctl clean images"
