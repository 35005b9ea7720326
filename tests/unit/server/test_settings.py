"""What the environment may say, and how the service refuses what it may not."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from server.settings import (
    RESERVED,
    STACK,
    VARIABLES,
    Rate,
    Secret,
    Settings,
    SettingsError,
    drop_empty,
    load,
)

from .conftest import ROOT

CONTRACT_AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_DIR",
    "AWS_ENDPOINT_URL",
)


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = (re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line) for line in lines)
    return {pair[1]: pair[2] for pair in pairs if pair}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_every_variable_is_read() -> None:
    settings = load(
        {
            "MCP_LOG_LEVEL": "debug",
            "MCP_LOG_FORMAT": "text",
            "MCP_AUTH_TOKEN": "t" * 16,
            "MCP_ALLOWED_HOSTS": "MCP.example.com, *.example.org ,host:8000",
            "MCP_CORS_ORIGINS": "https://console.example.com",
            "MCP_RATE_LIMIT": "120/minute",
            "MCP_MAX_BODY_BYTES": "2048",
            "MCP_TOOL_TIMEOUT_SECONDS": "1.5",
            "MCP_TOOLS_ALLOW": "aws/*",
            "MCP_TOOLS_DENY": "aws/list-profiles",
            "MCP_AWS_READ_ONLY": "no",
            "MCP_AWS_ALLOWED_PROFILES": "dev,prod-*",
            "MCP_DRAIN_SECONDS": "0",
            "AWS_ENDPOINT_URL": "http://aws-sandbox:5000",
        }
    )
    assert settings == Settings(
        log_level="DEBUG",
        log_format="text",
        auth_token=Secret("t" * 16),
        allowed_hosts=("mcp.example.com", "*.example.org", "host:8000"),
        cors_origins=("https://console.example.com",),
        rate_limit=Rate(120, 60),
        max_body_bytes=2048,
        tool_timeout_seconds=1.5,
        tools_allow=("aws/*",),
        tools_deny=("aws/list-profiles",),
        aws_read_only=False,
        aws_allowed_profiles=("dev", "prod-*"),
        drain_seconds=0,
        aws_endpoint_url="http://aws-sandbox:5000",
    )


BAD = {
    "MCP_LOG_LEVEL": "loud",
    "MCP_LOG_FORMAT": "xml",
    "MCP_AUTH_TOKEN": "short",
    "MCP_ALLOWED_HOSTS": "*",
    "MCP_CORS_ORIGINS": "*",
    "MCP_RATE_LIMIT": "fast",
    "MCP_MAX_BODY_BYTES": "1e6",
    "MCP_TOOL_TIMEOUT_SECONDS": "nan",
    "MCP_AWS_READ_ONLY": "maybe",
    "MCP_DRAIN_SECONDS": "-1",
    "AWS_ENDPOINT_URL": "aws-sandbox:5000",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({name: BAD[name]})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [name]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(BAD)
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(BAD)


def test_a_refused_token_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"MCP_AUTH_TOKEN": "marked secret with spaces"})
    assert "marked" not in str(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_a_variable_set_to_nothing_counts_as_unset(name: str) -> None:
    assert load({name: "  "}) == Settings()


def test_empty_aws_variables_leave_the_environment_before_botocore_reads_it() -> None:
    environ = {"AWS_PROFILE": "", "MCP_AUTH_TOKEN": " ", "AWS_DEFAULT_REGION": "eu-west-1", "PATH": ""}
    drop_empty(environ)
    assert environ == {"AWS_DEFAULT_REGION": "eu-west-1", "PATH": ""}


def test_variables_that_nothing_reads_are_named() -> None:
    environ = {"MCP_ALOWED_HOSTS": "x", "MCP_AWS_SECRET_ID": "y", "MCP_BACKEND_PORT": "8000"}
    assert load(environ).ignored == ("MCP_ALOWED_HOSTS", "MCP_AWS_SECRET_ID")


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>9}".format, lambda secret: f"{[secret]}"])
def test_a_secret_shows_itself_as_stars(show: Callable[[object], str]) -> None:
    secret = Secret("marked-secret-value")
    assert "***" in show(secret)
    assert "marked" not in show(secret) + repr(Settings(auth_token=secret))


def test_a_secret_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Secret("marked-secret-value"))
    with pytest.raises(TypeError, match="pickled"):
        copy.copy(Secret("marked-secret-value"))


def test_the_example_names_exactly_the_variables_of_the_contract() -> None:
    assert set(example()) == {*VARIABLES, *STACK, *CONTRACT_AWS}
    assert set(RESERVED) < set(VARIABLES)


def test_the_values_of_the_example_are_the_defaults() -> None:
    settings = load({name: value for name, value in example().items() if name not in RESERVED})
    assert dataclasses.asdict(settings) == dataclasses.asdict(Settings())


def test_the_compose_file_passes_every_variable_of_the_service() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    passed = set(re.findall(r"^      ([A-Z][A-Z0-9_]+):$", text, re.MULTILINE))
    assert passed == {*VARIABLES, *CONTRACT_AWS} - {"AWS_CONFIG_DIR"}


def test_the_defaults_of_the_compose_file_are_those_of_the_example() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    assert defaults == {name: example()[name] for name in (*STACK, "AWS_CONFIG_DIR")}


def test_the_service_refuses_to_start_with_every_problem_and_exit_code_2() -> None:
    environ = {**os.environ, "MCP_LOG_LEVEL": "loud", "MCP_DRAIN_SECONDS": "-1", "MCP_AUTH_TOKEN": "marked"}
    command = [sys.executable, "-m", "server", "--port", "0"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert "MCP_LOG_LEVEL: must be one of" in done.stderr
    assert "MCP_DRAIN_SECONDS: must be a number" in done.stderr
    assert "marked" not in done.stderr + done.stdout
