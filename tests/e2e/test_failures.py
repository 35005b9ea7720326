"""Bad input and bad luck on the real engine: a clear error, its own exit code, nothing lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
import urllib3

from tests.e2e.conftest import Stack, docker, free_port, inspect, new_stack, remove
from tests.e2e.test_quick_start import REQUEST, post, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e


def first_error(finished: object) -> dict[str, str]:
    return finished.document["errors"][0]  # type: ignore[attr-defined]  # a Finished


@pytest.fixture
def other(tmp_path: Path, stack: Stack) -> Iterator[Stack]:
    """Return a second project beside the first, with its images and settings, not up."""
    made = new_stack(tmp_path)
    for service in ("backend", "frontend", "aws-sandbox"):
        docker("tag", f"{stack.project}-{service}", f"{made.project}-{service}")
    (made.directory / ".env").write_bytes((stack.directory / ".env").read_bytes())
    yield made
    remove(made)
    for service in ("backend", "frontend", "aws-sandbox"):
        subprocess.run(["docker", "rmi", f"{made.project}-{service}"], capture_output=True, check=False)


def test_a_port_held_by_a_container_names_it_and_nothing_is_created(stack: Stack, other: Stack) -> None:
    done = other.mcpctl("up", "-o", "json", env={"MCP_BACKEND_PORT": str(stack.backend_port)})
    error = first_error(done)
    assert (done.exit_code, error["code"]) == (1, "port_taken")
    assert stack.container("backend") in error["message"]
    assert not docker("ps", "-aq", "--filter", f"name={other.project}").strip()


def test_a_port_held_by_a_process_names_it(other: Stack) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = other.mcpctl("up", "-o", "json", env={"MCP_FRONTEND_PORT": str(holder.getsockname()[1])})
    error = first_error(done)
    assert (done.exit_code, error["code"]) == (1, "port_taken")
    assert f"process {os.getpid()}" in error["message"]


def test_an_unhealthy_service_is_diagnosed_and_the_healthy_part_stays_up(other: Stack) -> None:
    override = other.directory / "docker-compose.override.yml"
    override.write_text(
        "services:\n  frontend:\n    healthcheck:\n      test: [CMD, sh, -c, 'echo no page today; exit 1']\n",
        encoding="utf-8",
    )
    done = other.mcpctl("up", "--wait-timeout", "15", "-o", "json")
    error = first_error(done)
    assert (done.exit_code, error["code"]) == (7, "unhealthy")
    culprits = error["details"]["containers"]
    assert [item["service"] for item in culprits] == ["frontend"]
    assert culprits[0]["health_output"] == "no page today"
    assert culprits[0]["restarts"] == 0
    assert inspect(other.container("backend"))["State"]["Running"] is True
    assert other.mcpctl("health", "-o", "json").exit_code == 7


def test_credentials_that_aws_refuses_are_exit_code_6_and_name_their_source(other: Stack) -> None:
    """A stand-in for AWS on the stack's own network refuses every key."""
    refuser = other.directory / "refuse.py"
    refuser.write_text(REFUSER, encoding="utf-8")
    (other.directory / "docker-compose.override.yml").write_text(
        "services:\n"
        "  backend:\n    environment:\n      AWS_ENDPOINT_URL: http://refuser:5000\n"
        "    depends_on:\n      refuser:\n        condition: service_started\n"
        f"  refuser:\n    image: {other.project}-backend\n    healthcheck: {{disable: true}}\n"
        "    entrypoint: [python3, /refuse.py]\n    command: []\n    volumes: [./refuse.py:/refuse.py:ro]\n",
        encoding="utf-8",
    )
    done = other.mcpctl(
        "quick-start", "--yes", "--no-sandbox", "-o", "json",
        env={"AWS_ACCESS_KEY_ID": "AKIAREFUSEDREFUSED12", "AWS_SECRET_ACCESS_KEY": REFUSED_SECRET},
    )  # fmt: skip
    error = first_error(done)
    assert (done.exit_code, error["code"]) == (6, "credentials_invalid")
    assert "environment" in str(error["details"]["source"])
    assert REFUSED_SECRET not in done.stdout + done.stderr
    assert inspect(other.container("backend"))["State"]["Running"] is True


REFUSED_SECRET = "refused-secret-value-0123456789"
REFUSER = '''
import http.server

class Refuse(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error>
</ErrorResponse>"""
        self.send_response(403)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("0.0.0.0", 5000), Refuse).serve_forever()
'''


def test_down_keeps_the_volume_and_volumes_need_a_yes(other: Stack) -> None:
    volume = f"{other.project}_backend-data"
    assert other.mcpctl("up").exit_code == 0
    docker("exec", other.container("backend"), "python3", "-c", "open('/data/kept', 'w').write('kept')")
    assert other.mcpctl("down").exit_code == 0
    assert other.mcpctl("down").exit_code == 0
    refused = other.mcpctl("down", "--volumes", "-o", "json")
    assert (refused.exit_code, first_error(refused)["code"]) == (3, "confirmation_required")
    assert volume in docker("volume", "ls", "-q")
    assert other.mcpctl("up").exit_code == 0
    kept = docker("exec", other.container("backend"), "python3", "-c", "print(open('/data/kept').read())")
    assert kept.strip() == "kept"


def test_a_stopped_backend_ends_cleanly_within_its_grace(other: Stack) -> None:
    assert other.mcpctl("up").exit_code == 0
    docker("stop", other.container("backend"))
    state = inspect(other.container("backend"))["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)


def test_a_second_mcpctl_at_work_is_exit_code_8(other: Stack) -> None:
    first = subprocess.Popen(
        other.command("up"), env=other.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        lock = other.directory / ".mcpctl" / "lock"
        assert wait_until(lambda: lock.exists() and lock.stat().st_size > 0, 30)
        second = other.mcpctl("up", "-o", "json")
    finally:
        assert first.wait(120) == 0
    assert (second.exit_code, first_error(second)["code"]) == (8, "locked")
    assert f"process {first.pid}" in first_error(second)["message"]
    assert other.mcpctl("up", "--lock-wait", "60").exit_code == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"message_id": "x", ', "application/json", 400, "INVALID_REQUEST"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"padding": "' + b"x" * 5_000_000 + b'"}', "application/json", 413, "TOO_LARGE"),
    ],
)
def test_the_service_refuses_what_it_cannot_read(
    stack: Stack, body: bytes, content_type: str, status: int, code: str
) -> None:
    for base in (stack.backend, stack.frontend):
        answer = urllib3.request(
            "POST",
            f"{base}/api/tools/execute",
            body=body,
            headers={"Content-Type": content_type},
            retries=False,
        )
        assert answer.status == status
        if base == stack.backend:
            assert answer.json()["error"]["code"] == code


def test_serve_runs_the_same_service_without_an_engine(stack: Stack, tmp_path: Path) -> None:
    port = free_port()
    command = stack.command("-H", "unix:///nonexistent.sock")
    words = [*command[:1], "-H", "unix:///nonexistent.sock", "serve", "--sandbox", "--port", str(port)]
    process = subprocess.Popen(
        words, env=stack.environment, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: answers(f"{url}/ready", process), 90)
        answer = post(f"{url}/api/tools/execute", REQUEST).json()
        assert answer["result"]["data"]["sandbox"] is True
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
    assert not answers(f"{url}/health")


def answers(url: str, process: subprocess.Popen[bytes] | None = None) -> bool:
    assert process is None or process.poll() is None, "serve ended by itself"
    try:
        return urllib3.request("GET", url, retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
