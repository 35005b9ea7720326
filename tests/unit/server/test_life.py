"""Start, drain and end of the real process; the healthcheck beside it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .conftest import PATIENCE, ROOT, until

#: The service with one tool that waits for a file to appear, and says that it waits by making another.
SCRIPT = """
import sys, time, pathlib
from server.__main__ import main
import server.loading, server.tools.catalogue as product
from tests.unit.server.fakes import Echo, catalogue, tool
def wait(call, params):
    folder = pathlib.Path(params.text)
    (folder / "started").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    return Echo(text="done", caller=call.caller)
product.registry = catalogue(tool("aws/wait", wait))
from server.serving import leave
leave(main(sys.argv[1:]))
"""
CALL = {
    "message_id": "1",
    "message_type": "REQUEST",
    "protocol_version": "2.0",
    "params": {"tool": "aws/wait", "params": {}},
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def service(**environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    command = [sys.executable, "-c", SCRIPT, "--port", str(port)]
    environ = {**os.environ, **environment}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: answers(port, "/ready") == 200)
            yield process, port
        finally:
            process.kill()


def answers(port: int, path: str) -> int:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def post(port: int, path: str, body: dict[str, Any], answer: dict[str, Any], **headers: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    answer["status"], answer["session"] = response.status, response.getheader("mcp-session-id")
    answer["text"] = response.read().decode()
    connection.close()


def begin(
    port: int, path: str, body: dict[str, Any], **headers: str
) -> tuple[threading.Thread, dict[str, Any]]:
    answer: dict[str, Any] = {}
    thread = threading.Thread(target=post, args=(port, path, body, answer), kwargs=headers)
    thread.start()
    return thread, answer


def waiting_call(folder: Path) -> dict[str, Any]:
    return {**CALL, "params": {"tool": "aws/wait", "params": {"text": str(folder)}}}


def test_a_call_in_flight_is_answered_after_sigterm_while_new_ones_are_refused(tmp_path: Path) -> None:
    with service() as (process, port):
        thread, answer = begin(port, "/api/tools/execute", waiting_call(tmp_path))
        until((tmp_path / "started").exists)
        process.send_signal(signal.SIGTERM)
        until(lambda: answers(port, "/ready") == 503)
        refused: dict[str, Any] = {}
        post(port, "/api/tools/execute", CALL, refused)
        (tmp_path / "go").touch()
        thread.join(PATIENCE)
        assert process.wait(PATIENCE) == 0
    assert (refused["status"], json.loads(refused["text"])["error"]["code"]) == (503, "DRAINING")
    assert (answer["status"], json.loads(answer["text"])["result"]["data"]["text"]) == (200, "done")


def test_a_streamed_mcp_answer_of_a_session_is_not_cut_by_sigterm(tmp_path: Path) -> None:
    accept = {"Accept": "application/json, text/event-stream"}
    client = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    with service() as (process, port):
        hello: dict[str, Any] = {}
        post(
            port,
            "/mcp",
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
            hello,
            **accept,
        )
        session = {**accept, "Mcp-Session-Id": hello["session"], "MCP-Protocol-Version": "2025-11-25"}
        post(port, "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, {}, **session)
        params = {"name": "aws_wait", "arguments": {"text": str(tmp_path)}}
        message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        thread, answer = begin(port, "/mcp", message, **session)
        until((tmp_path / "started").exists)
        process.send_signal(signal.SIGTERM)
        until(lambda: answers(port, "/ready") == 503)
        (tmp_path / "go").touch()
        thread.join(PATIENCE)
        assert process.wait(PATIENCE) == 0
    assert answer["status"] == 200
    assert '"text":"done"' in answer["text"].replace(" ", "").replace("\\", "")


def test_a_call_that_outlives_the_drain_does_not_hold_the_process(tmp_path: Path) -> None:
    with service(MCP_DRAIN_SECONDS="0.2") as (process, port):
        thread, _ = begin(port, "/api/tools/execute", waiting_call(tmp_path))
        until((tmp_path / "started").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        thread.join(PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_ends_at_once_with_exit_code_0(number: signal.Signals) -> None:
    with service(MCP_DRAIN_SECONDS="3600") as (process, _):
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0


def test_a_taken_port_is_named_and_the_exit_code_is_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        command = [sys.executable, "-m", "server", "--port", str(port)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_every_log_line_of_a_real_run_is_a_json_object_without_the_token() -> None:
    token = "marked-token-marked-token"
    with service(MCP_AUTH_TOKEN=token) as (process, port):
        post(port, "/api/tools/execute", CALL, {}, Authorization=f"Bearer {token}x")
        post(port, f"/{token}", CALL, {}, Authorization=f"Bearer {token}")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
        process.wait(PATIENCE)
    messages = [json.loads(line)["message"] for line in lines]
    assert {"starting", "ready", "request", "draining", "drained"} <= set(messages)
    assert token not in "\n".join(lines)


def test_the_check_loads_every_tool_and_says_how_many() -> None:
    command = [sys.executable, "-m", "server", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout) == (0, "ok: 4 tools\n")


def healthcheck(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(ROOT / "server" / "healthcheck.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout


def test_the_healthcheck_tells_a_200_from_anything_else() -> None:
    with service() as (_, port):
        assert healthcheck(f"http://127.0.0.1:{port}/health") == (
            0,
            f"http://127.0.0.1:{port}/health: HTTP/1.1 200 OK\n",
        )
        assert healthcheck(f"http://127.0.0.1:{port}/nope")[0] == 1


def test_the_healthcheck_says_why_nobody_answered() -> None:
    code, line = healthcheck(f"http://127.0.0.1:{free_port()}/health")
    assert (code, "refused" in line) == (1, True)
    assert healthcheck("https://127.0.0.1/")[0] == 1
    assert healthcheck("http://127.0.0.1:port/")[0] == 1
    assert healthcheck()[0] == 1


def test_the_healthcheck_does_not_take_silence_or_noise_for_health() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def noise() -> None:
            for reply in (b"", b"200 200\r\n", b"HTTP/1.1 2000 OK\r\n"):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(reply)

        thread = threading.Thread(target=noise)
        thread.start()
        codes = [healthcheck(f"http://127.0.0.1:{port}/")[0] for _ in range(3)]
        thread.join(PATIENCE)
    assert codes == [1, 1, 1]


def test_server_and_cli_carry_the_same_version() -> None:
    import mcpctl
    import server

    assert server.__version__ == mcpctl.__version__


def test_the_service_answers_health_before_it_has_loaded_the_slow_parts() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import server.__main__, server.serving, server.app"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "starlette" in loaded
    assert not loaded & {"mcp", "boto3", "botocore", "moto"}
