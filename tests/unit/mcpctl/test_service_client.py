"""The tool service's answers, mapped to ours: every error code of its contract has an exit code."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.load import LoadRequest, load
from mcpctl.errors import CredentialsError, McpctlError, NotFound, ServiceUnreachable, ToolFailed
from mcpctl.service.client import DEFAULT_URL, ToolService, published_url
from tests.docs.schema_check import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., Any]

IDENTITY = {
    "valid": True,
    "account": "123456789012",
    "arn": "arn:aws:sts::123456789012:user/demo",
    "user_id": "AIDAEXAMPLE",
    "source": "sandbox",
    "profile": None,
    "region": "us-east-1",
    "expires_at": None,
    "sandbox": True,
    "checks": [{"name": "region", "ok": True, "message": "us-east-1", "hint": None}],
}
CODES: list[tuple[int, str, type[McpctlError], int]] = [
    (400, "INVALID_REQUEST", ToolFailed, 1),
    (401, "UNAUTHENTICATED", ToolFailed, 1),
    (403, "FORBIDDEN", ToolFailed, 1),
    (404, "TOOL_NOT_FOUND", NotFound, 10),
    (413, "TOO_LARGE", ToolFailed, 1),
    (415, "UNSUPPORTED_MEDIA_TYPE", ToolFailed, 1),
    (422, "INVALID_PARAMS", ToolFailed, 1),
    (429, "RATE_LIMITED", ToolFailed, 1),
    (500, "INTERNAL", ToolFailed, 1),
    (502, "AWS_ERROR", ToolFailed, 1),
    (503, "DRAINING", ToolFailed, 1),
    (504, "TIMEOUT", ToolFailed, 1),
]


@dataclass
class Service:
    """A tool service that gives one answer to everything, and keeps what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def succeed(self, data: dict[str, Any]) -> None:
        self.status, self.body = 200, json.dumps({"result": {"success": True, "data": data}}).encode()

    def fail(self, status: int, code: str, hint: str | None = "do this") -> None:
        error = {"code": code, "message": f"{code} happened", "hint": hint, "details": {"a": 1}}
        self.status, self.body = status, json.dumps({"error": error}).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    answer = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            answer.requests.append(
                {"path": self.path, "headers": dict(self.headers), "body": self.rfile.read(length)}
            )
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815 - the name that the handler looks for

        def log_message(self, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    answer.url = f"http://127.0.0.1:{server.server_port}"
    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_call_is_one_envelope_and_gives_the_tools_own_result(service: Service) -> None:
    service.succeed({"answer": 42})
    assert ToolService(service.url).call("demo/echo", {"text": "x"}) == {"answer": 42}
    (request,) = service.requests
    body = json.loads(request["body"])
    assert body.pop("message_id")
    assert body == {
        "message_type": "REQUEST",
        "protocol_version": "2.0",
        "params": {"tool": "demo/echo", "params": {"text": "x"}},
    }
    assert request["path"] == "/api/tools/execute"
    assert request["headers"]["Content-Type"] == "application/json"
    assert "Authorization" not in request["headers"]


def test_a_token_travels_as_bearer_and_only_there(service: Service) -> None:
    service.succeed({})
    ToolService(service.url, "sixteen-characters").call("demo/echo", {})
    (request,) = service.requests
    assert request["headers"]["Authorization"] == "Bearer sixteen-characters"
    assert "sixteen-characters" not in repr(request["body"]) + request["path"]


@pytest.mark.parametrize(("status", "code", "kind", "exit_code"), CODES)
def test_every_error_of_the_service_becomes_one_of_ours(
    status: int, code: str, kind: type[McpctlError], exit_code: int, service: Service
) -> None:
    service.fail(status, code)
    with pytest.raises(McpctlError) as caught:
        ToolService(service.url).call("demo/echo", {})
    assert type(caught.value) is kind
    assert (int(caught.value.exit_code), caught.value.message) == (exit_code, f"{code} happened")
    assert caught.value.details == {"code": code, "status": status, "service_details": {"a": 1}}
    wanted = "set MCP_AUTH_TOKEN in .env to a token that the service knows" if status == 401 else "do this"
    assert caught.value.hint == wanted


def test_credentials_that_aws_refuses_have_the_exit_code_of_credentials(service: Service) -> None:
    service.fail(502, "AWS_ERROR", "renew the credentials: aws sso login")
    with pytest.raises(CredentialsError):
        ToolService(service.url).call("aws/account-info", {})


def test_an_error_without_a_body_of_ours_still_says_its_status(service: Service) -> None:
    service.status = 502
    with pytest.raises(ToolFailed, match="the service answered 502"):
        ToolService(service.url).tools()


def test_an_answer_that_is_no_json_is_no_tool_service(service: Service) -> None:
    service.body = b"<html>"
    with pytest.raises(ServiceUnreachable, match=service.url):
        ToolService(service.url).tools()


def test_a_port_that_nobody_listens_on_is_named_with_the_next_command() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ServiceUnreachable) as caught:
            ToolService(url).tools()
    assert caught.value.message == f"the tool service does not answer at {url}: Connection refused"
    assert (caught.value.hint, caught.value.details) == ("mcpctl status", {"url": url})


def test_a_service_that_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServiceUnreachable, match="timed out"):
            ToolService(url, timeout=0.1).tools()


@pytest.mark.parametrize(
    ("port", "url"),
    [
        ("127.0.0.1:9000:8000", "http://127.0.0.1:9000"),
        ("9000:8000", "http://127.0.0.1:9000"),
        ("0.0.0.0:9000:8000", "http://127.0.0.1:9000"),
        ("192.0.2.7:9000:8000", "http://192.0.2.7:9000"),
        ("[::1]:9000:8000", "http://[::1]:9000"),
        ("9000:9999", DEFAULT_URL),
        ("8000", DEFAULT_URL),
    ],
)
def test_the_published_address_comes_from_the_project(port: str, url: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(f'services: {{backend: {{image: x, ports: ["{port}"]}}}}\n')
    assert published_url(load(LoadRequest(tmp_path, {"HOME": str(tmp_path)}))) == url


def test_without_a_project_the_usual_address_is_tried() -> None:
    assert published_url(None) == DEFAULT_URL


def test_tools_call_reads_values_as_json_where_they_are_json(run: Run, service: Service) -> None:
    service.succeed({"ok": True})
    pairs = ["count=3", "all=true", "name=dev", "ids=[1,2]", "text=a=b"]
    left = run("tools", "call", "demo/echo", *pairs, "--url", service.url, "-o", "json")
    check("tools call", left.json)
    assert left.json["data"] == {"ok": True}
    sent = json.loads(service.requests[0]["body"])["params"]["params"]
    assert sent == {"count": 3, "all": True, "name": "dev", "ids": [1, 2], "text": "a=b"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "'nonsense' is not KEY=VALUE"),
        (["--params", "{"], "--params is not JSON"),
        (["--params", "[1]"], "--params is not a JSON object"),
    ],
)
def test_parameters_that_cannot_be_read_are_refused_before_anything_is_sent(
    words: list[str], message: str, run: Run, service: Service
) -> None:
    left = run("tools", "call", "demo/echo", *words, "--url", service.url)
    assert left.exit_code == 4
    assert message in left.stderr
    assert service.requests == []


@pytest.fixture
def sandboxed(service: Service, tmp_path: Path) -> Path:
    """A project whose AWS is the sandbox and whose backend is published where ``service`` listens."""
    port = service.url.rpartition(":")[2]
    (tmp_path / "compose.yaml").write_text(
        f'services: {{backend: {{image: x, ports: ["127.0.0.1:{port}:8000"]}}}}\n'
    )
    (tmp_path / ".env").write_text(
        "AWS_ENDPOINT_URL=http://aws-sandbox:5000\nMCP_AUTH_TOKEN=sixteen-characters\n"
    )
    return tmp_path


def test_in_the_sandbox_aws_commands_ask_the_service_and_say_so(
    run: Run, service: Service, sandboxed: Path
) -> None:
    service.succeed(IDENTITY)
    human = run("-C", sandboxed, "aws", "validate")
    assert human.exit_code == 0
    assert human.stdout.startswith("SANDBOX: this is not AWS\naccount  123456789012\n")
    document = run("-C", sandboxed, "aws", "validate", "-o", "json").json
    check("aws validate", document)
    assert document["data"]["sandbox"] is True
    assert service.requests[0]["headers"]["Authorization"] == "Bearer sixteen-characters"


def test_credentials_that_do_not_work_are_an_answer_with_exit_code_6(
    run: Run, service: Service, sandboxed: Path
) -> None:
    service.succeed({**IDENTITY, "valid": False, "account": None, "arn": None, "user_id": None})
    left = run("-C", sandboxed, "aws", "validate", "-o", "json")
    check("aws validate", left.json)
    assert (left.exit_code, left.json["status"], left.json["errors"]) == (6, "error", [])
