"""The project's ``.env``: made once, private, changed one key at a time."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from mcpctl.aws.settings import sandbox_is_on
from mcpctl.errors import ConfigError
from mcpctl.quickstart.environment import ensure_env_file, sandbox_values, set_values

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = "# a comment\n#MCP_LOG_LEVEL=INFO\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_is_the_example_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    assert ensure_env_file(tmp_path) is True
    assert (tmp_path / ".env").read_text() == EXAMPLE
    assert mode(tmp_path / ".env") == 0o600


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    (tmp_path / ".env").write_text("MINE=1\n")
    assert ensure_env_file(tmp_path) is False
    assert (tmp_path / ".env").read_text() == "MINE=1\n"


def test_without_an_example_the_error_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        ensure_env_file(tmp_path)
    assert str(tmp_path / ".env.example") in caught.value.message
    assert caught.value.hint == f"create it by hand: touch {tmp_path}/.env && chmod 600 {tmp_path}/.env"
    assert list(tmp_path.iterdir()) == []


def test_setting_a_key_leaves_every_other_line_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# keep me\nA=1\n\nB='two words'  # and me\nC=${A}x\n")
    set_values(tmp_path, {"A": "2", "D": "http://host:5000"})
    assert path.read_text() == ("# keep me\nA=2\n\nB='two words'  # and me\nC=${A}x\nD='http://host:5000'\n")


def test_a_value_that_is_set_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text('A="1"\n')
    set_values(tmp_path, {"A": "1", "GONE": None})
    assert path.read_text() == 'A="1"\n'


def test_a_key_taken_out_takes_its_line_with_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nB=2\nC=3\n")
    set_values(tmp_path, {"B": None})
    assert path.read_text() == "A=1\nC=3\n"


def test_writing_makes_a_file_private_that_was_not(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    path.chmod(0o644)
    set_values(tmp_path, {"A": "2"})
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    ("settings", "on"),
    [
        ({"AWS_ENDPOINT_URL": "http://aws-sandbox:5000"}, True),
        ({"AWS_ENDPOINT_URL": "http://aws-sandbox:5001/"}, True),
        ({"AWS_ENDPOINT_URL": "http://aws-sandbox.example.com"}, False),
        ({"AWS_ENDPOINT_URL": "https://example.com/aws-sandbox"}, False),
        ({"AWS_ENDPOINT_URL": ""}, False),
        ({}, False),
    ],
)
def test_the_endpoint_alone_says_whether_aws_is_the_sandbox(settings: dict[str, str], on: bool) -> None:
    assert sandbox_is_on(settings) is on


@pytest.mark.parametrize(
    ("profiles", "on", "expected"),
    [
        ("", True, "sandbox"),
        ("debug", True, "debug,sandbox"),
        ("sandbox,debug", True, "debug,sandbox"),
        ("debug,sandbox", False, "debug"),
        ("sandbox", False, None),
        ("", False, None),
    ],
)
def test_switching_the_sandbox_keeps_other_profiles(profiles: str, on: bool, expected: str | None) -> None:
    values = sandbox_values({"COMPOSE_PROFILES": profiles}, on=on)
    assert values["COMPOSE_PROFILES"] == expected
    assert (values["AWS_ENDPOINT_URL"] is not None) is on


def test_on_and_off_again_gives_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nMCP_LOG_LEVEL=DEBUG\n")
    set_values(tmp_path, sandbox_values({}, on=True))
    assert "COMPOSE_PROFILES=sandbox\n" in path.read_text()
    set_values(tmp_path, sandbox_values({"COMPOSE_PROFILES": "sandbox"}, on=False))
    assert path.read_text() == "# mine\nMCP_LOG_LEVEL=DEBUG\n"
