from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcpctl.aws import settings as room

HOME = Path("/home/somebody")


def test_empty_variables_count_as_unset():
    settings = room.effective(
        {"AWS_PROFILE": "", "AWS_SESSION_TOKEN": " ", "AWS_ENDPOINT_URL": "http://x"}, HOME
    )
    assert settings.profile is None
    assert set(settings.variables) == {"AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}


def test_the_files_are_in_the_home_directory_by_default():
    settings = room.effective({}, HOME)
    assert (settings.config_file, settings.credentials_file) == (
        HOME / ".aws/config",
        HOME / ".aws/credentials",
    )


def test_a_config_directory_moves_both_files():
    settings = room.effective({"AWS_CONFIG_DIR": "~/other"}, HOME)
    assert (settings.config_file, settings.credentials_file) == (
        HOME / "other/config",
        HOME / "other/credentials",
    )


def test_a_file_named_by_itself_wins_over_the_directory():
    settings = room.effective({"AWS_CONFIG_DIR": "/d", "AWS_CONFIG_FILE": "/f"}, HOME)
    assert (settings.config_file, settings.credentials_file) == (Path("/f"), Path("/d/credentials"))


def test_the_short_region_variable_serves_botocore_too():
    assert room.effective({"AWS_REGION": "eu-west-1"}, HOME).variables["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_the_process_environment_holds_exactly_the_settings_and_is_put_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "outer")
    settings = room.effective({"AWS_ACCESS_KEY_ID": "inner"}, HOME)
    seen: dict[str, str] = {}

    def fail() -> None:
        with room.applied(settings):
            seen.update(os.environ)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen["AWS_ACCESS_KEY_ID"] == "inner"
    assert "AWS_PROFILE" not in seen
    assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_PROFILE"]) == ("outer", "")
    assert "AWS_CONFIG_FILE" not in os.environ
