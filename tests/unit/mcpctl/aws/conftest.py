from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the AWS settings of whoever runs the tests out of them; calls stay on the loopback."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of an AWS that accepts any keys."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class Refusing:
    """An AWS that answers every call with one error, and counts the calls."""

    url: str = ""
    code: str = "AccessDenied"
    message: str = "no"
    status: int = 403
    date: str | None = None
    bodies: list[str] = field(default_factory=list)


@pytest.fixture
def refusing() -> Iterator[Refusing]:
    answer = Refusing()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = (
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{answer.code}</Code><Message>{answer.message}</Message></Error>"
                "<RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>"
            ).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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


@dataclass(frozen=True)
class Home:
    """A home directory with ``.aws`` files to write."""

    path: Path

    def write(self, name: str, text: str) -> Path:
        file = self.path / ".aws" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
