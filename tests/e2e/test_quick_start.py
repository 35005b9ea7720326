"""The main job: one command from nothing to a healthy, credential-checked stack."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from tests.e2e.conftest import Stack, docker, inspect

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e

SANDBOX_ACCOUNT = "123456789012"
REQUEST = {
    "message_id": "test",
    "message_type": "REQUEST",
    "protocol_version": "2.0",
    "params": {"tool": "aws/validate-credentials", "params": {}},
}


def post(url: str, body: object) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        "POST",
        url,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        retries=False,
        timeout=30,
    )


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.25)
    return condition()


def test_quick_start_ends_with_the_sandbox_identity(stack: Stack) -> None:
    document = json.loads((stack.directory / "first.json").read_text(encoding="utf-8"))
    data = document["data"]
    assert document["status"] == "success"
    assert data["sandbox"] is True
    assert data["credentials"]["account"] == SANDBOX_ACCOUNT
    assert data["urls"] == {"backend": stack.backend, "frontend": stack.frontend}
    assert data["base_image"]["how"] in {"local", "pulled", "built"}


def test_settings_are_written_for_their_owner_alone(stack: Stack) -> None:
    assert stat.S_IMODE((stack.directory / ".env").stat().st_mode) == 0o600


def test_the_request_of_the_manual_test_answers_with_the_sandbox_identity(stack: Stack) -> None:
    url = f"{stack.backend}/api/tools/execute"
    words = ["-H", "Content-Type: application/json", "-d", json.dumps(REQUEST)]
    done = subprocess.run(
        ["curl", "-s", "-X", "POST", url, *words], capture_output=True, text=True, check=True, timeout=30
    )
    answer = json.loads(done.stdout)
    assert answer["message_id"] == "test"
    assert answer["message_type"] == "RESPONSE"
    assert answer["result"]["success"] is True
    assert answer["result"]["data"]["account"] == SANDBOX_ACCOUNT
    assert answer["result"]["data"]["sandbox"] is True


def test_the_tools_are_listed(stack: Stack) -> None:
    answer = urllib3.request("GET", f"{stack.backend}/api/tools/list").json()
    names = {tool["name"] for tool in answer["tools"]}
    assert answer["count"] == len(answer["tools"])
    assert {
        "aws/validate-credentials",
        "aws/list-profiles",
        "aws/account-info",
        "aws/test-environment",
    } <= names


def test_the_frontend_serves_a_page_and_forwards_the_service(stack: Stack) -> None:
    page = urllib3.request("GET", f"{stack.frontend}/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert urllib3.request("GET", f"{stack.frontend}/health").json()["status"] == "ok"
    through = post(f"{stack.frontend}/api/tools/execute", REQUEST).json()
    assert through["result"]["data"]["account"] == SANDBOX_ACCOUNT


def test_the_engine_too_calls_every_container_healthy(stack: Stack) -> None:
    """The engine's first own check comes after one interval of 30 s."""

    def healthy() -> bool:
        names = docker(
            "ps", "--filter", f"name={stack.project}-", "--filter", "health=healthy", "--format", "{{.Names}}"
        )
        return {stack.container("backend"), stack.container("frontend")} <= set(names.split())

    assert wait_until(healthy, 60), docker("ps", "--filter", f"name={stack.project}-")


def test_a_second_quick_start_changes_nothing(stack: Stack) -> None:
    before = {name: inspect(stack.container(name))["Id"] for name in ("backend", "frontend", "aws-sandbox")}
    again = stack.mcpctl("quick-start", "--yes", "--sandbox", "-o", "json")
    assert again.exit_code == 0, again.stderr
    assert again.data["steps"] == []
    assert {name: inspect(stack.container(name))["Id"] for name in before} == before


def test_a_dry_run_of_a_finished_quick_start_has_no_steps(stack: Stack) -> None:
    dry = stack.mcpctl("quick-start", "--sandbox", "--dry-run", "-o", "json")
    assert (dry.exit_code, dry.data) == (0, {"steps": []})


def test_plan_names_the_key_that_changed_and_changes_nothing(stack: Stack) -> None:
    before = inspect(stack.container("backend"))["Id"]
    secret = "marked-token-0123456789"
    changed = {"MCP_LOG_LEVEL": "DEBUG", "MCP_AUTH_TOKEN": secret}
    planned = stack.mcpctl("plan", "-o", "json", env=changed)
    assert planned.exit_code == 0
    reasons = [why for step in planned.data["steps"] for why in step["why"]]
    assert "environment.MCP_LOG_LEVEL: unset -> DEBUG" in reasons
    assert "environment.MCP_AUTH_TOKEN: unset -> ***" in reasons
    assert secret not in planned.stdout + planned.stderr
    assert planned.data == stack.mcpctl("up", "--dry-run", "-o", "json", env=changed).data
    assert inspect(stack.container("backend"))["Id"] == before


@pytest.mark.parametrize("command", ["validate", "account-info", "test"])
def test_every_aws_answer_of_the_sandbox_says_so(stack: Stack, command: str) -> None:
    human = stack.mcpctl("aws", command)
    assert human.exit_code == 0, human.stderr
    assert human.stdout.startswith("SANDBOX")
    assert stack.mcpctl("aws", command, "-o", "json").data["sandbox"] is True


def test_status_and_health_are_well_and_say_so_in_json(stack: Stack) -> None:
    status = stack.mcpctl("status", "-o", "json")
    assert status.exit_code == 0
    by_name: dict[str, Any] = {item["service"]: item for item in status.data["services"]}
    assert set(by_name) == {"backend", "frontend", "aws-sandbox"}
    assert all(item["healthy"] and item["running"] == item["desired"] == 1 for item in by_name.values())
    ports = by_name["backend"]["containers"][0]["ports"]
    assert ports == [
        {"host_ip": "127.0.0.1", "host_port": stack.backend_port, "container_port": 8000, "protocol": "tcp"}
    ]
    health = stack.mcpctl("health", "-o", "json")
    assert health.exit_code == 0
    assert all(item["latency_ms"] > 0 for item in health.data["services"])


def test_a_tool_is_called_from_the_command_line(stack: Stack) -> None:
    done = stack.mcpctl("tools", "call", "aws/account-info", "-o", "json")
    assert done.exit_code == 0
    assert done.data["account"] == SANDBOX_ACCOUNT


def test_an_unknown_tool_is_exit_code_10_and_names_the_nearest(stack: Stack) -> None:
    done = stack.mcpctl("tools", "call", "aws/validate-credential", "-o", "json")
    assert done.exit_code == 10
    assert "aws/validate-credentials" in done.document["errors"][0]["hint"]


def test_logs_of_the_service_are_json_lines_without_secrets(stack: Stack) -> None:
    done = stack.mcpctl("logs", "backend", "-o", "json")
    lines = [json.loads(line["text"]) for line in done.data["lines"] if line["text"].startswith("{")]
    assert lines
    assert all("level" in line for line in lines)


def test_logs_of_an_unknown_service_are_refused(stack: Stack) -> None:
    done = stack.mcpctl("logs", "bakend", "-o", "json")
    assert done.exit_code == 10
    assert "backend" in done.document["errors"][0]["hint"]
