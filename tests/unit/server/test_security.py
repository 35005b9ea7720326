"""Who may call, from where, how much, and what never gets out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from server.faults import Fault
from server.observe.logs import LogFormatter
from server.security.boundary import host_allowed, origin_allowed
from server.security.policy import RateLimiter
from server.security.redaction import Redactor
from server.settings import OWN_HOSTS, Rate, Secret, Settings

from .conftest import call, in_memory
from .fakes import catalogue, raising, tool

TOKEN = "token-token-token-token"
GUARDED = Settings(auth_token=Secret(TOKEN))
ECHO = catalogue(tool("aws/echo"))
ROUTES = [
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/"),
    ("GET", "/api/tools/list"),
    ("POST", "/api/tools/execute"),
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("DELETE", "/mcp"),
    ("GET", "/nope"),
]
PUBLIC = {"/health", "/ready", "/"}


@pytest.fixture(scope="module")
def opened() -> Iterator[TestClient]:
    """The application without a token."""
    with in_memory(catalogue=ECHO) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[TestClient]:
    """The application with a token."""
    with in_memory(GUARDED, ECHO) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] not in PUBLIC])
@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_every_route_but_the_public_ones_refuses(
    method: str, path: str, authorization: str | None, guarded: TestClient
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = guarded.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_the_public_routes_need_no_token(path: str, guarded: TestClient) -> None:
    assert guarded.get(path).status_code in {200, 503}


def test_the_token_opens_the_service(guarded: TestClient) -> None:
    status, envelope = call(guarded, "aws/echo", None, Authorization=f"bearer {TOKEN}")
    assert (status, envelope["result"]["data"]["caller"]) == (200, "token")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil", ""]
)
def test_a_foreign_host_is_refused_on_every_route(
    method: str, path: str, host: str, opened: TestClient
) -> None:
    answer = opened.request(method, path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "MCP_ALLOWED_HOSTS" in answer.json()["error"]["hint"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "file://localhost"]
)
def test_a_foreign_origin_is_refused_on_every_route(
    method: str, path: str, origin: str, opened: TestClient
) -> None:
    answer = opened.request(method, path, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "MCP_CORS_ORIGINS" in answer.json()["error"]["hint"]


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True),
        ("localhost:8080", True),
        ("127.0.0.1:1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("backend:8000", True),
        ("a.example.com", True),
        ("a.b.example.com:9", True),
        ("example.com", False),
        (".example.com", False),
        ("one.example.org:8000", True),
        ("one.example.org:8001", False),
        ("one.example.org", False),
        ("localhost:x", False),
        ("[::1]x", False),
        ("user@localhost", False),
    ],
)
def test_hosts_match_by_name_by_port_and_by_domain(host: str, allowed: bool) -> None:
    assert host_allowed(host, (*OWN_HOSTS, "*.example.com", "one.example.org:8000")) is allowed


def test_an_origin_is_ours_when_it_is_the_host_that_was_asked_or_listed() -> None:
    assert origin_allowed("http://localhost:8080", "localhost:8080", ())
    assert origin_allowed("https://console.example.com", "localhost", ("https://console.example.com",))
    assert not origin_allowed("http://localhost:8081", "localhost:8080", ())


def test_a_listed_origin_gets_cors_answers_even_to_a_preflight_without_a_token() -> None:
    settings = Settings(auth_token=Secret(TOKEN), cors_origins=("https://console.example.com",))
    headers = {"Origin": "https://console.example.com", "Access-Control-Request-Method": "POST"}
    with in_memory(settings, ECHO) as client:
        answer = client.options("/api/tools/execute", headers=headers)
        refused = client.get("/api/tools/list", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://console.example.com"
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://console.example.com"


@pytest.mark.parametrize("path", ["/api/tools/execute", "/mcp", "/nope"])
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_said_to_be_json_is_refused(
    path: str, media_type: str, opened: TestClient
) -> None:
    answer = opened.post(path, content=b"{}", headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", ["/api/tools/execute", "/mcp"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused_whether_or_not_its_length_is_announced(
    path: str, announced: bool
) -> None:
    body = b" " * 5000
    content = body if announced else (body[start : start + 1000] for start in range(0, 5000, 1000))
    with in_memory(Settings(max_body_bytes=4096), ECHO) as client:
        answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert answer.json()["error"]["details"] == {"limit_bytes": 4096}


def test_a_request_id_is_echoed_when_harmless_and_replaced_when_not(opened: TestClient) -> None:
    assert opened.get("/health", headers={"X-Request-Id": "abc-1_2"}).headers["x-request-id"] == "abc-1_2"
    assert opened.get("/health", headers={"X-Request-Id": "a b"}).headers["x-request-id"] != "a b"
    assert len(opened.get("/health").headers["x-request-id"]) == 32


def test_a_bucket_refills_evenly() -> None:
    now = [0.0]
    limiter = RateLimiter(Rate(2, 10), lambda: now[0])
    limiter.take("a")
    limiter.take("a")
    with pytest.raises(Fault) as caught:
        limiter.take("a")
    assert caught.value.details["retry_after_seconds"] == 5
    limiter.take("b")
    now[0] = 5.0
    limiter.take("a")
    with pytest.raises(Fault):
        limiter.take("a")


SECRETS = {
    "access key id": "AKIAIOSFODNN7EXAMPLE",
    "temporary key id": "ASIAIOSFODNN7EXAMPLE",
    "known value": "known-secret-value",
    "named": "aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "in json": '{"SecretAccessKey": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"}',
    "in escaped json": '{\\"session_token\\": \\"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\\"}',
    "header": "Authorization: Bearer abcdefgh12345678",
    "session token": "IQoJb3JpZ2luX2VjEJr" + "A" * 60,
    "signature": "https://s3/x?X-Amz-Signature=0123456789abcdef&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE/2026",
}
MARKS = ("IOSFODNN7", "known-secret", "wJalr", "abcdefgh1234", "b3JpZ2lu", "0123456789abcdef")


def knowing() -> Redactor:
    redactor = Redactor()
    redactor.learn("known-secret-value", "short", None)
    return redactor


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_masked_in_text_and_in_data(name: str) -> None:
    redactor = knowing()
    shown = redactor.text(SECRETS[name]) + json.dumps(redactor.data({SECRETS[name]: [{"x": SECRETS[name]}]}))
    assert not [mark for mark in MARKS if mark in shown]
    assert "***" in shown


def test_ordinary_words_are_left_alone() -> None:
    text = "a short message about account 123456789012 and arn:aws:iam::123456789012:user/alice"
    assert knowing().text(text) == text


def test_the_longer_of_two_overlapping_secrets_goes_first() -> None:
    redactor = Redactor()
    redactor.learn("secret-one", "secret-one-and-more")
    assert redactor.text("secret-one-and-more") == "***"


def test_a_log_line_is_one_json_object_with_its_secrets_masked() -> None:
    formatter = LogFormatter(knowing(), as_json=True)
    error = ValueError(SECRETS["known value"])
    arguments = (SECRETS["access key id"],)
    record = logging.LogRecord("x", 40, "f", 1, "key %s", arguments, (ValueError, error, None))
    record.fields = {"tool": SECRETS["known value"]}
    line = formatter.format(record)
    document = json.loads(line)
    assert "\n" not in line
    assert document["message"] == "key ***"
    assert document["tool"] == "***"
    assert "ValueError: ***" in document["exception"]


def test_a_text_line_masks_and_keeps_the_traceback_apart() -> None:
    record = logging.LogRecord("x", 20, "f", 1, "key %s", (SECRETS["access key id"],), None)
    line = LogFormatter(knowing(), as_json=False).format(record)
    assert line.endswith("key *** logger=x")


def through_every_path(client: TestClient, secret: str) -> str:
    """Send ``secret`` wherever a client can put it and return all that comes back, without the echoed id."""
    envelope = {"message_id": "1", "message_type": "REQUEST", "protocol_version": "2.0"}
    bodies = [
        {**envelope, "params": {"tool": secret, "params": {}}},
        {**envelope, "params": {"tool": "aws/echo", "params": {secret: 1}}},
        {**envelope, "params": {"tool": "aws/echo", "params": {"times": secret}}},
        {**envelope, "params": {"tool": "aws/fail", "params": {}}},
        {**envelope, secret: 1, "params": {"tool": "aws/echo"}},
        {**envelope, "params": secret},
    ]
    answers = [client.post("/api/tools/execute", json=body) for body in bodies]
    answers.append(
        client.post("/api/tools/execute", content=secret, headers={"content-type": "application/json"})
    )
    answers.append(client.get(f"/{secret}"))
    answers.append(client.get("/api/tools/list", params={"token": secret}, headers={"Authorization": secret}))
    answers.append(client.get("/health", headers={"X-Request-Id": secret + " "}))
    return "\n".join(answer.text + str(answer.headers) for answer in answers)


@pytest.mark.parametrize("secret", ["known-secret-value", "AKIAIOSFODNN7EXAMPLE"])
def test_a_marked_secret_gets_out_by_no_path(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    redactor = knowing()
    caplog.handler.setFormatter(LogFormatter(redactor, as_json=True))
    caplog.set_level(logging.INFO)
    tools = catalogue(tool("aws/echo"), tool("aws/fail", raising(RuntimeError(f"because {secret}"))))
    with in_memory(Settings(), tools, redactor) as client:
        answers = through_every_path(client, secret)
    assert secret not in answers
    assert secret not in caplog.text
    assert "***" in caplog.text
    assert "***" in answers


def test_a_part_of_the_token_is_not_enough(guarded: TestClient) -> None:
    parts = [TOKEN[:length] for length in range(1, len(TOKEN))]
    assert {call(guarded, "aws/echo", None, Authorization=f"Bearer {part}")[0] for part in parts} == {401}
