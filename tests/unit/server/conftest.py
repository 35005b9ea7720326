"""A clean AWS environment, a sandbox over HTTP, and the application in memory and on a socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from server.app import create_app
from server.registry import Registry
from server.security.redaction import Redactor
from server.settings import Settings

ROOT = Path(__file__).parents[3]
PATIENCE = 20.0
Catalogue = Callable[[], Registry]


@pytest.fixture(autouse=True)
def aws_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the machine's AWS variables and files; return the folder of the files that count instead."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MCP_"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "aws"
    folder.mkdir()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return folder


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The sandbox as its own process, seeded; the port is the one that the log names."""
    command = [sys.executable, "-m", "server.sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{_announced_port(process)}"
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


def _announced_port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        record = json.loads(line)
        if record["message"] == "ready":
            # Nobody reads on, and a full pipe would block the sandbox.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return record["port"]
    raise AssertionError("the sandbox ended before it was ready")


@pytest.fixture
def sandbox_keys(sandbox_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keys in the environment that the sandbox accepts, and its URL."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return sandbox_url


@contextlib.contextmanager
def in_memory(
    settings: Settings | None = None, catalogue: Catalogue | None = None, redactor: Redactor | None = None
) -> Iterator[TestClient]:
    """Run the application without a socket."""
    app = create_app(settings or Settings(), redactor, catalogue)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@contextlib.contextmanager
def on_a_socket(settings: Settings | None = None, catalogue: Catalogue | None = None) -> Iterator[str]:
    """Run the application under uvicorn in a thread and yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings or Settings(), None, catalogue)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=3))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        app.lifecycle.stop()
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, at most ``PATIENCE`` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def call(
    client: TestClient, tool: str, params: dict[str, Any] | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Execute a tool over HTTP and return the status and the envelope."""
    envelope = {
        "message_id": "m-1",
        "message_type": "REQUEST",
        "protocol_version": "2.0",
        "params": {"tool": tool, "params": params or {}},
    }
    answer = client.post("/api/tools/execute", json=envelope, headers=headers)
    return answer.status_code, answer.json()
