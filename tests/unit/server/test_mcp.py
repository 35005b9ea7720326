"""The MCP surface through the official client, over HTTP, on both generations of the protocol."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from mcp import MCPError
from mcp.client import Client
from starlette.testclient import TestClient

from server.settings import Settings

from .conftest import in_memory, on_a_socket
from .fakes import catalogue, raising, tool

T = TypeVar("T")
#: `legacy` begins with `initialize` and has a session; the other is the revision without either.
GENERATIONS = ["legacy", "2026-07-28"]
TOOLS = catalogue(
    tool("aws/echo"),
    tool("aws/crash", raising(RuntimeError("inner working"))),
    tool("aws/write", read_only=False, destructive=True),
)


def with_client(mode: str, use: Callable[[Client], Awaitable[T]], settings: Settings | None = None) -> T:
    async def run(url: str) -> T:
        async with Client(f"{url}/mcp", mode=mode) as client:
            return await use(client)

    with on_a_socket(settings or Settings(aws_read_only=False), TOOLS) as url:
        return asyncio.run(run(url))


@pytest.mark.parametrize("mode", GENERATIONS)
def test_tools_are_listed_under_their_mcp_names_with_schemas_and_hints(mode: str) -> None:
    async def use(client: Client) -> Any:
        return (await client.list_tools()).tools

    listed = with_client(mode, use)
    assert [found.name for found in listed] == ["aws_echo", "aws_crash", "aws_write"]
    assert listed[0].input_schema["additionalProperties"] is False
    assert listed[0].output_schema is not None
    assert listed[0].annotations.read_only_hint is True
    assert (listed[2].annotations.read_only_hint, listed[2].annotations.destructive_hint) == (False, True)


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.parametrize("name", ["aws_echo", "aws/echo"])
def test_a_call_answers_with_text_and_with_structure(mode: str, name: str) -> None:
    result = with_client(mode, lambda client: client.call_tool(name, {"text": "hi"}))
    assert result.is_error is False
    assert result.structured_content == {"text": "hi", "caller": "anonymous"}
    assert json.loads(result.content[0].text) == result.structured_content


@pytest.mark.parametrize("mode", GENERATIONS)
def test_an_unknown_argument_is_refused_so_that_the_model_can_read_why(mode: str) -> None:
    result = with_client(mode, lambda client: client.call_tool("aws_echo", {"txet": "hi"}))
    assert result.is_error is True
    assert "INVALID_PARAMS: txet:" in result.content[0].text
    assert "Hint: aws/echo takes these parameters: text, times" in result.content[0].text


@pytest.mark.parametrize("mode", GENERATIONS)
def test_an_unknown_tool_is_an_error_of_the_protocol_that_names_the_nearest(mode: str) -> None:
    async def use(client: Client) -> MCPError:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("aws_ecko", {})
        return caught.value

    error = with_client(mode, use)
    assert error.code == -32602
    assert "did you mean aws/echo" in error.message


@pytest.mark.parametrize("mode", GENERATIONS)
def test_a_crash_tells_the_model_nothing_of_the_inside(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    result = with_client(mode, lambda client: client.call_tool("aws_crash", {}))
    assert result.is_error is True
    assert result.content[0].text.startswith("INTERNAL: ")
    assert "inner working" not in result.content[0].text
    assert "inner working" in caplog.text


def test_read_only_hides_and_refuses_tools_that_write() -> None:
    async def use(client: Client) -> Any:
        listed = [found.name for found in (await client.list_tools()).tools]
        return listed, await client.call_tool("aws_write", {})

    listed, refused = with_client("legacy", use, Settings())
    assert listed == ["aws_echo", "aws_crash"]
    assert "MCP_AWS_READ_ONLY" in refused.content[0].text


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_session_revision_is_served(revision: str) -> None:
    with in_memory(catalogue=TOOLS) as client:
        answer = initialize(client, revision)
    assert answer.status_code == 200
    assert f'"protocolVersion":"{revision}"' in answer.text.replace(" ", "")
    assert answer.headers["mcp-session-id"]


def test_an_unknown_revision_is_answered_not_dropped() -> None:
    with in_memory(catalogue=TOOLS) as client:
        assert client.post("/mcp", json={}, headers={"MCP-Protocol-Version": "1999-01-01"}).status_code == 400


def test_the_path_with_a_slash_at_its_end_works_too() -> None:
    with in_memory(catalogue=TOOLS) as client:
        assert initialize(client, "2025-11-25", path="/mcp/").status_code == 200


def test_only_what_the_server_has_is_advertised() -> None:
    with in_memory(catalogue=TOOLS) as client:
        text = initialize(client, "2025-11-25").text
    assert '"tools"' in text
    assert '"prompts"' not in text
    assert '"resources"' not in text


def test_the_sdk_logs_nothing_about_ordinary_requests(caplog: pytest.LogCaptureFixture) -> None:
    from server.observe.logs import configure
    from server.security.redaction import Redactor

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure(Settings(), Redactor())
        root.handlers = [caplog.handler]
        with_client("legacy", lambda client: client.call_tool("aws_echo", {}))
    finally:
        root.handlers = handlers
        root.setLevel(level)
    # The client of the test logs too, by its own library.
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert names - {"httpx2"} == {"server"}


def initialize(client: TestClient, revision: str, path: str = "/mcp") -> Any:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": revision,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    return client.post(path, json=message, headers={"Accept": "application/json, text/event-stream"})
