"""The envelope of POST /api/tools/execute, and each error of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.faults import STATUS, Code
from server.settings import Rate, Secret, Settings

from .conftest import call, in_memory
from .fakes import Gate, catalogue, raising, tool

GOOD: dict[str, Any] = {
    "message_id": "m-1",
    "message_type": "REQUEST",
    "protocol_version": "2.0",
    "params": {"tool": "aws/echo", "params": {"text": "hi"}},
}
ECHO = catalogue(tool("aws/echo"))


@pytest.fixture(scope="module")
def opened() -> Iterator[TestClient]:
    """The application with one tool that echoes."""
    with in_memory(catalogue=ECHO) as client:
        yield client


def post(client: TestClient, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/api/tools/execute", content=body, headers={"content-type": "application/json", **headers}
    )
    return answer.status_code, answer.json()


def error_of(status: int, envelope: dict[str, Any], code: Code) -> dict[str, Any]:
    assert envelope["message_type"] == "ERROR"
    assert envelope["protocol_version"] == "2.0"
    assert set(envelope) == {"message_id", "message_type", "protocol_version", "error"}
    error = envelope["error"]
    assert set(error) == {"code", "message", "hint", "details", "retryable"}
    assert (status, error["code"]) == (STATUS[code], code.value)
    return error


def test_a_call_is_answered_in_the_envelope(opened: TestClient) -> None:
    status, envelope = call(opened, "aws/echo", {"text": "hi", "times": 2})
    duration = envelope["result"].pop("duration_ms")
    assert duration >= 0
    assert (status, envelope) == (
        200,
        {
            "message_id": "m-1",
            "message_type": "RESPONSE",
            "protocol_version": "2.0",
            "result": {"tool": "aws/echo", "success": True, "data": {"text": "hihi", "caller": "anonymous"}},
        },
    )


def test_the_mcp_name_works_over_http_too(opened: TestClient) -> None:
    assert call(opened, "aws_echo")[1]["result"]["tool"] == "aws/echo"


def test_text_that_utf8_cannot_hold_is_refused_and_its_id_echoed(opened: TestClient) -> None:
    body = json.dumps(GOOD).replace('"m-1"', '"m-\\ud800"').encode()
    status, envelope = post(opened, body)
    error_of(status, envelope, Code.INVALID_REQUEST)
    assert envelope["message_id"] == "m-\ud800"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "line 1 column 1"),
        (b'{"message_id": }', "line 1 column 16"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_the_place(
    body: bytes, where: str, opened: TestClient
) -> None:
    error = error_of(*post(opened, body), Code.INVALID_REQUEST)
    assert where in error["message"]
    assert '"message_type": "REQUEST"' in error["hint"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"message_type": "RESPONSE"}, "message_type"),
        ({"protocol_version": "1.0"}, "protocol_version"),
        ({"message_id": 7}, "message_id"),
        ({"message_id": ""}, "message_id"),
        ({"params": {"params": {}}}, "params.tool"),
        ({"params": {"tool": "aws/echo", "params": []}}, "params.params"),
        ({"params": {"tool": "aws/echo", "extra": 1}}, "params.extra"),
        ({"extra": 1}, "extra"),
    ],
)
def test_an_envelope_of_another_form_is_refused_with_the_path(
    change: dict[str, Any], path: str, opened: TestClient
) -> None:
    error = error_of(*post(opened, json.dumps({**GOOD, **change}).encode()), Code.INVALID_REQUEST)
    assert path in [item["path"] for item in error["details"]["errors"]]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7"])
def test_json_that_is_no_envelope_is_refused(body: bytes, opened: TestClient) -> None:
    status, envelope = post(opened, body)
    error_of(status, envelope, Code.INVALID_REQUEST)
    assert envelope["message_id"] is None


def test_the_id_of_a_refused_envelope_is_echoed_where_it_has_one(opened: TestClient) -> None:
    _, envelope = post(opened, json.dumps({**GOOD, "message_type": "EVENT"}).encode())
    assert envelope["message_id"] == "m-1"


def test_an_unknown_tool_is_not_found_and_the_nearest_is_named(opened: TestClient) -> None:
    error = error_of(*call(opened, "aws/ecko"), Code.TOOL_NOT_FOUND)
    assert error["hint"] == "did you mean aws/echo?"


def test_bad_parameters_are_told_field_by_field(opened: TestClient) -> None:
    error = error_of(*call(opened, "aws/echo", {"txet": "hi", "times": "2"}), Code.INVALID_PARAMS)
    assert {item["field"] for item in error["details"]["fields"]} == {"txet", "times"}
    assert "text, times" in error["hint"]


def test_a_crash_is_internal_and_tells_nothing_but_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    crashing = catalogue(tool("aws/crash", raising(RuntimeError("inner working"))))
    with in_memory(catalogue=crashing) as client:
        error = error_of(*call(client, "aws/crash", None, **{"X-Request-Id": "abc-1"}), Code.INTERNAL)
    assert error["details"] == {"request_id": "abc-1"}
    assert "inner working" not in json.dumps(error)
    assert "inner working" in caplog.text


def test_a_call_over_its_time_limit_is_a_timeout() -> None:
    gate = Gate()
    with in_memory(Settings(tool_timeout_seconds=0.1), catalogue(tool("aws/slow", gate))) as client:
        error = error_of(*call(client, "aws/slow"), Code.TIMEOUT)
        gate.opened.set()
    assert error["retryable"] is True
    assert "MCP_TOOL_TIMEOUT_SECONDS" in error["hint"]


def test_calls_over_the_rate_are_told_when_to_come_back() -> None:
    with in_memory(Settings(rate_limit=Rate(2, 3600)), ECHO) as client:
        assert [call(client, "aws/echo")[0] for _ in range(2)] == [200, 200]
        answer = client.post("/api/tools/execute", json=GOOD)
    error_of(answer.status_code, answer.json(), Code.RATE_LIMITED)
    assert 0 < int(answer.headers["retry-after"]) <= 1800


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        (Settings(tools_deny=("aws/*",)), "MCP_TOOLS_DENY"),
        (Settings(tools_deny=("aws_echo",)), "MCP_TOOLS_DENY"),
        (Settings(tools_allow=("aws/other",)), "MCP_TOOLS_ALLOW"),
    ],
)
def test_a_tool_that_is_switched_off_is_forbidden_and_not_listed(settings: Settings, setting: str) -> None:
    with in_memory(settings, ECHO) as client:
        error = error_of(*call(client, "aws/echo"), Code.FORBIDDEN)
        assert client.get("/api/tools/list").json()["count"] == 0
    assert error["details"]["setting"] == setting


def test_a_tool_that_writes_needs_read_only_switched_off() -> None:
    writing = catalogue(tool("aws/write", read_only=False))
    with in_memory(Settings(), writing) as client:
        assert (
            error_of(*call(client, "aws/write"), Code.FORBIDDEN)["details"]["setting"] == "MCP_AWS_READ_ONLY"
        )
    with in_memory(Settings(aws_read_only=False), writing) as client:
        assert call(client, "aws/write")[0] == 200


def test_the_list_describes_each_tool(opened: TestClient) -> None:
    document = opened.get("/api/tools/list").json()
    listed = document["tools"][0]
    assert document["count"] == 1
    assert set(listed) == {"name", "title", "description", "input_schema", "output_schema", "annotations"}
    assert listed["annotations"] == {
        "read_only": True,
        "destructive": False,
        "idempotent": True,
        "open_world": True,
    }


def test_a_failure_to_load_is_degraded_and_every_call_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Any:
        raise RuntimeError("no such module")

    with in_memory(catalogue=broken) as client:
        error_of(*call(client, "aws/echo"), Code.INTERNAL)
        ready = client.get("/ready")
        assert client.get("/health").status_code == 200
    assert (ready.status_code, ready.json()["status"]) == (503, "degraded")
    assert "no such module" in caplog.text


def test_a_draining_service_refuses_calls_but_stays_alive() -> None:
    with in_memory(catalogue=ECHO) as client:
        assert call(client, "aws/echo")[0] == 200
        client.portal.call(client.app.lifecycle.drain, 1)
        error = error_of(*call(client, "aws/echo"), Code.DRAINING)
        ready = client.get("/ready")
        assert client.get("/health").status_code == 200
    assert error["retryable"] is True
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")


def test_readiness_tells_its_checks_to_those_with_the_token_only() -> None:
    with in_memory(Settings(auth_token=Secret("t" * 16)), ECHO) as client:
        headers = {"Authorization": "Bearer " + "t" * 16}
        client.get("/api/tools/list", headers=headers)
        assert client.get("/ready").json() == {"status": "ready"}
        assert {check["name"] for check in client.get("/ready", headers=headers).json()["checks"]} == {
            "tools",
            "accepting",
        }


def test_health_tells_version_and_uptime() -> None:
    with in_memory(catalogue=ECHO) as client:
        document = client.get("/health").json()
    assert set(document) == {"status", "version", "uptime_seconds"}
    assert document["status"] == "ok"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/api/tools/execute", 405)]
)
def test_what_is_not_there_is_answered_in_the_envelope_too(method: str, path: str, status: int) -> None:
    with in_memory(catalogue=ECHO) as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"


def test_the_page_may_load_nothing_from_elsewhere() -> None:
    with in_memory(catalogue=ECHO) as client:
        answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<title>mcp-router</title>" in answer.text
    assert "https://" not in answer.text
