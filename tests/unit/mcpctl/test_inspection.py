"""`config`: the resolved project, with its secrets masked unless asked for."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.schema_check import check
from tests.peers import compose_binary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., Any]

SECRET = "marked-secret-0123456789"
FILE = f"""
name: shop
services:
  web:
    image: web:1
    environment:
      API_TOKEN: {SECRET}
      LEVEL: ${{LEVEL:-info}}
      PRICE: 5$$
    ports: ["8080:80"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_config_prints_yaml_that_reads_back_with_the_secret_masked(project: Path, run: Run) -> None:
    left = run("-C", project, "config")
    assert left.exit_code == 0
    assert SECRET not in left.stdout
    environment = yaml.safe_load(left.stdout)["services"]["web"]["environment"]
    assert environment == {"API_TOKEN": "***", "LEVEL": "info", "PRICE": "5$$"}


def test_config_in_json_is_what_compose_prints_when_secrets_are_shown(project: Path, run: Run) -> None:
    left = run("-C", project, "config", "--show-secrets", "-o", "json")
    check("config", left.json)
    done = subprocess.run(
        [str(compose_binary()), "config", "--format", "json"], cwd=project, capture_output=True, check=True
    )
    assert left.json["data"] == json.loads(done.stdout)


def test_config_masks_in_json_too(project: Path, run: Run) -> None:
    left = run("-C", project, "config", "-o", "json")
    assert SECRET not in left.stdout
    assert left.json["data"]["services"]["web"]["environment"]["API_TOKEN"] == "***"


def test_config_reads_back_as_the_same_project(project: Path, run: Run) -> None:
    shown = run("-C", project, "config", "--show-secrets").stdout
    (project / "again.yaml").write_text(shown, encoding="utf-8")
    first = run("-C", project, "config", "-o", "json").json["data"]
    again = run("-C", project, "-f", project / "again.yaml", "config", "-o", "json").json["data"]
    assert again == first


def test_config_of_a_broken_file_is_a_clear_error(project: Path, run: Run) -> None:
    (project / "compose.yaml").write_text("services: [", encoding="utf-8")
    left = run("-C", project, "config")
    assert left.exit_code == 4
    assert "compose.yaml:2:1" in left.stderr
