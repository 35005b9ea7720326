"""Other people's programs on the same stack: docker compose, BuildKit, an MCP client."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import Stack, docker, inspect
from tests.peers import buildx_binary, compose_binary

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.e2e

SERVICES = ("backend", "frontend", "aws-sandbox")


def compose(stack: Stack, *words: str) -> str:
    command = [
        str(compose_binary()),
        "--project-directory",
        str(stack.directory),
        "-p",
        stack.project,
        *words,
    ]
    done = subprocess.run(
        command, env=stack.environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def ids(stack: Stack) -> dict[str, str]:
    return {service: inspect(stack.container(service))["Id"] for service in SERVICES}


def test_compose_up_finds_nothing_to_do_on_a_stack_of_ours(stack: Stack) -> None:
    before = ids(stack)
    compose(stack, "up", "-d")
    assert ids(stack) == before


def test_compose_sees_our_containers_as_its_own(stack: Stack) -> None:
    rows = [
        json.loads(line)
        for line in compose(stack, "ps", "--format", "json").splitlines()
        if line.startswith("{")
    ]
    assert {row["Service"] for row in rows} == set(SERVICES)
    assert stack.project in compose(stack, "ls")
    assert "backend-1" in compose(stack, "logs", "backend", "--tail", "1")


def test_up_finds_nothing_to_do_after_compose_restarted_the_stack(stack: Stack) -> None:
    compose(stack, "restart", "-t", "5", "frontend")
    before = ids(stack)
    done = stack.mcpctl("up", "-o", "json")
    assert (done.exit_code, done.data["steps"]) == (0, [])
    assert ids(stack) == before


def test_every_target_builds_with_buildkit_too(stack: Stack) -> None:
    for target in ("backend", "frontend", "sandbox"):
        tag = f"{stack.project}-buildkit-{target}"
        command = [
            str(buildx_binary()),
            "build",
            "--load",
            "--target",
            target,
            "--build-arg",
            f"BASE_IMAGE={stack.base_image}",
        ]
        labels = ["--label", f"com.docker.compose.project={stack.project}"]
        done = subprocess.run(
            [*command, *labels, "-t", tag, str(stack.directory)],
            env=stack.environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        docker("rmi", tag)


@pytest.mark.parametrize("through", ["backend", "frontend"])
def test_an_mcp_client_calls_a_tool(stack: Stack, through: str) -> None:
    from mcp.client import Client

    async def call() -> tuple[Sequence[str], Any]:
        async with Client(f"{getattr(stack, through)}/mcp") as client:
            listed = await client.list_tools()
            result = await client.call_tool("aws_validate_credentials", {})
            return [tool.name for tool in listed.tools], result.structured_content

    names, identity = asyncio.run(call())
    assert "aws_validate_credentials" in names
    assert identity["account"] == "123456789012"
    assert identity["sandbox"] is True
