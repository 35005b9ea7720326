"""What commands answer fits the schemas that the reference promises; here those that need no engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.schema_check import check, validate

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]

NO_ENGINE = "tcp://127.0.0.1:1"
CONFIG = """\
[profile dev]
sso_session = nowhere
region = eu-west-1
[profile role]
role_arn = arn:aws:iam::123456789012:role/demo
source_profile = default
"""
CREDENTIALS = "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = not-a-key\n"


def test_profiles_good_and_broken(run: Run) -> None:
    folder = Path.home() / ".aws"
    folder.mkdir()
    (folder / "config").write_text(CONFIG)
    (folder / "credentials").write_text(CREDENTIALS)
    document = run("aws", "list-profiles", "-o", "json").json
    check("aws list-profiles", document)
    assert [(row["name"], row["ok"]) for row in document["data"]["profiles"]] == [
        ("default", True),
        ("dev", False),
        ("role", True),
    ]


@pytest.mark.parametrize("project", [True, False])
def test_the_findings_of_doctor(project: bool, run: Run, tmp_path: Path) -> None:
    if project:
        (tmp_path / "compose.yaml").write_text('services: {web: {image: x, ports: ["127.0.0.1:18766:80"]}}\n')
    left = run("-C", tmp_path, "-H", NO_ENGINE, "doctor", "-o", "json")
    check("doctor", left.json)
    names = {finding["name"]: finding["ok"] for finding in left.json["data"]["checks"]}
    assert (left.exit_code, names["engine"], names["project"]) == (5, False, project)
    assert ("port 18766" in names) is project


def test_a_dry_run_that_needs_no_engine(run: Run) -> None:
    document = run("engine", "start", "--dry-run", "-o", "json").json
    check("engine start", document)
    assert document["data"]["steps"]


def test_credentials_that_are_not_there(run: Run, tmp_path: Path) -> None:
    for command in ("validate", "test"):
        left = run("-C", tmp_path, "aws", command, "-o", "json")
        check(f"aws {command}", left.json)
        assert (left.exit_code, left.json["status"]) == (6, "error")
        assert left.json["data"]["checks"]


GOOD = {
    "schema": "mcpctl/v1",
    "command": "build",
    "status": "success",
    "exit_code": 0,
    "data": {"images": ["a"]},
    "warnings": [],
    "errors": [],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"images": ["a"], "more": 1}},
        {"data": {}},
        {"data": {"images": [1]}},
        {"exit_code": 14},
        {"exit_code": 1},
        {"command": "up"},
        {"schema": "mcpctl/v2"},
        {"errors": [{"code": "x"}]},
        {"more": 1},
    ],
)
def test_the_check_notices_what_does_not_fit(wrong: dict[str, Any]) -> None:
    check("build", GOOD)
    with pytest.raises(AssertionError):
        check("build", GOOD | wrong)


def test_the_check_reads_the_schemas_that_others_refer_to() -> None:
    step = {"action": "start container", "target": "web-1", "why": ["it is new"]}
    check("build", GOOD | {"data": {"steps": [step]}})
    with pytest.raises(AssertionError):
        check("build", GOOD | {"data": {"steps": [step | {"why": []}]}})
    with pytest.raises(AssertionError):
        validate("log-line", {"service": "web"})
