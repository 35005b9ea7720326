"""What the engine's answers over its socket come to, the broken ones too."""

from __future__ import annotations

import json
import socket
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.local import Local, Request
from mcpctl.engine.types import Endpoint
from mcpctl.errors import EngineFailed, EngineUnreachable, McpctlError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[[bytes | None], Local]

GET = Request("GET", "/containers/x/json", {})
HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


@pytest.fixture
def requests() -> list[bytes]:
    """Hold what was asked."""
    return []


@pytest.fixture
def serve(tmp_path: Path, requests: list[bytes]) -> Iterator[Serve]:
    """Return a function that answers one request with these bytes, or never with None."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "engine.sock"))
    listener.listen()
    listener.settimeout(5)  # a test that never calls must not hang the run
    threads: list[Thread] = []
    held: list[socket.socket] = []

    def answer(text: bytes | None) -> None:
        connection, _ = listener.accept()
        requests.append(connection.recv(65536))
        if text is None:
            held.append(connection)
            return
        connection.sendall(text)
        connection.close()

    def start(text: bytes | None) -> Local:
        threads.append(Thread(target=answer, args=(text,)))
        threads[-1].start()
        return Local(Endpoint(f"unix://{tmp_path}/engine.sock", "a test"), timeout=0.2 if text is None else 5)

    yield start
    for thread in threads:
        thread.join()
    for item in (*held, listener):
        item.close()


def failure(reader: Local) -> McpctlError:
    with pytest.raises(McpctlError) as caught:
        reader.call("looking", GET)
    return caught.value


def test_an_answer_is_read_to_its_end(serve: Serve, requests: list[bytes]) -> None:
    body = b'{"Id": "' + b"a" * 300_000 + b'"}'
    found = serve(HEAD + str(len(body)).encode() + b"\r\n\r\n" + body).call(
        "x", Request("GET", "/a", {"all": 1, "f": '{"l"}'})
    )
    assert len(found["Id"]) == 300_000
    assert requests[0].startswith(b"GET /a?all=1&f=%7B%22l%22%7D HTTP/1.0\r\n")


def test_an_answer_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    assert serve(b"HTTP/1.1 200 OK\r\n\r\n[1, 2]").call("x", GET) == [1, 2]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "no such thing"}', NotFound, "looking: no such thing"),
        (b'HTTP/1.0 409 Conflict\r\n\r\n{"message": "in use"}', EngineFailed, "looking: in use"),
        (HEAD + b'9\r\n\r\n{"a": 1', EngineUnreachable, "broke off its answer"),
        (HEAD + b"3\r\n\r\n{{{", EngineUnreachable, "no Docker Engine answers at unix://"),
        (b"SSH-2.0-OpenSSH_9\r\n", EngineUnreachable, "does not speak HTTP"),
        (b"", EngineUnreachable, "does not speak HTTP"),
    ],
)
def test_each_bad_answer_is_an_error_of_ours(
    serve: Serve, answer: bytes, kind: type[McpctlError], message: str
) -> None:
    found = failure(serve(answer))
    assert type(found) is kind
    assert message in found.message


def test_a_body_is_sent_as_json_and_an_empty_answer_is_none(serve: Serve, requests: list[bytes]) -> None:
    engine = serve(b"HTTP/1.0 204 No Content\r\n\r\n")
    assert engine.call("x", Request("POST", "/create", {"name": "a b"}, {"Image": "ü"})) is None
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.splitlines() == [
        b"POST /create?name=a+b HTTP/1.0",
        b"Host: docker",
        f"Content-Length: {len(body)}".encode(),
        b"Content-Type: application/json",
    ]
    assert json.loads(body) == {"Image": "ü"}


def test_an_engine_that_never_answers_is_given_up(serve: Serve) -> None:
    assert "did not answer in time" in failure(serve(None)).message


def test_nobody_at_the_socket_is_told_with_the_endpoint(tmp_path: Path) -> None:
    reader = Local(Endpoint(f"unix://{tmp_path}/absent.sock", "DOCKER_HOST"), timeout=5)
    assert "absent.sock (DOCKER_HOST): no such file or directory" in failure(reader).message
