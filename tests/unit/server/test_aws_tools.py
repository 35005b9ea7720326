"""The identity tools against a real server, and without one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from server.aws.identity import Identity, clock_skew
from server.settings import Settings
from server.tools.diagnosis import environment_checks

from .conftest import call, in_memory

KEYS = """\
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
UNUSED = "http://127.0.0.1:9"


def run(tool: str, params: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    with in_memory(Settings(**settings)) as client:
        status, envelope = call(client, tool, params)
    assert status == 200, envelope
    return envelope["result"]["data"]


def fails(tool: str, params: dict[str, Any] | None = None, **settings: Any) -> tuple[int, dict[str, Any]]:
    with in_memory(Settings(**settings)) as client:
        status, envelope = call(client, tool, params)
    return status, envelope["error"]


def failed(data: dict[str, Any]) -> list[str]:
    return [check["name"] for check in data["checks"] if not check["ok"]]


def check(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(check for check in data["checks"] if check["name"] == name)


def test_keys_in_the_environment_are_validated_and_named_as_the_source(sandbox_keys: str) -> None:
    data = run("aws/validate-credentials", aws_endpoint_url=sandbox_keys)
    assert (data["valid"], data["account"], data["source"]) == (True, "123456789012", "environment")
    assert data["arn"].startswith("arn:aws:sts::123456789012:")
    assert data["user_id"]
    assert (data["profile"], data["region"], data["expires_at"]) == (None, "us-east-1", None)
    assert data["sandbox"] is True
    assert [item["name"] for item in data["checks"]] == ["region", "credentials", "identity"]


def test_without_any_credentials_the_answer_is_invalid_with_a_remedy() -> None:
    data = run("aws/validate-credentials")
    assert (data["valid"], data["source"], data["account"]) == (False, None, None)
    assert failed(data) == ["credentials"]
    assert "AWS_ACCESS_KEY_ID" in check(data, "credentials")["hint"]


def test_half_a_key_pair_is_told_apart_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    data = run("aws/validate-credentials")
    assert failed(data) == ["credentials"]
    assert "together" in check(data, "credentials")["hint"]


def test_an_endpoint_that_nobody_serves_is_invalid_and_says_so(
    sandbox_keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = run("aws/validate-credentials", aws_endpoint_url=UNUSED)
    assert failed(data) == ["identity"]
    assert "AWS_ENDPOINT_URL" in check(data, "identity")["hint"]


def test_a_profile_of_the_files_is_used_and_reported(sandbox_url: str, aws_files: Path) -> None:
    (aws_files / "config").write_text("[profile dev]\nregion = eu-central-1\n")
    (aws_files / "credentials").write_text(f"[dev]\n{KEYS}")
    data = run("aws/validate-credentials", {"profile": "dev"}, aws_endpoint_url=sandbox_url)
    assert (data["valid"], data["profile"], data["region"]) == (True, "dev", "eu-central-1")
    assert data["source"] == "shared-credentials-file"


def test_the_regions_order_is_call_variable_profile_default(
    sandbox_url: str, aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws_files / "credentials").write_text(f"[dev]\n{KEYS}region = eu-central-1\n")

    def region(**params: str) -> str:
        return run("aws/validate-credentials", {"profile": "dev", **params}, aws_endpoint_url=sandbox_url)[
            "region"
        ]

    assert region() == "eu-central-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert region() == "us-west-2"
    assert region(region="ap-south-1") == "ap-south-1"


def test_a_misspelt_profile_is_answered_with_the_nearest(aws_files: Path) -> None:
    (aws_files / "credentials").write_text(f"[production]\n{KEYS}")
    data = run("aws/validate-credentials", {"profile": "prodution"})
    assert failed(data) == ["profile"]
    assert check(data, "profile")["hint"] == "did you mean production?"


def test_a_profile_that_the_variable_names_must_exist_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    data = run("aws/validate-credentials")
    assert (data["profile"], failed(data)) == ("gone", ["profile"])


def test_a_profile_outside_the_allow_list_is_forbidden_and_not_listed(aws_files: Path) -> None:
    (aws_files / "credentials").write_text(f"[dev]\n{KEYS}[prod]\n{KEYS}")
    status, error = fails("aws/validate-credentials", {"profile": "prod"}, aws_allowed_profiles=("dev",))
    assert (status, error["code"]) == (403, "FORBIDDEN")
    assert error["details"] == {"profile": "prod", "setting": "MCP_AWS_ALLOWED_PROFILES"}
    listed = run("aws/list-profiles", aws_allowed_profiles=("dev",))
    assert [profile["name"] for profile in listed["profiles"]] == ["dev"]


def test_a_changed_file_is_noticed_without_a_restart(sandbox_url: str, aws_files: Path) -> None:
    with in_memory(Settings(aws_endpoint_url=sandbox_url)) as client:

        def validated(text: str) -> tuple[bool, str]:
            (aws_files / "credentials").write_text(text)
            data = call(client, "aws/validate-credentials")[1]["result"]["data"]
            return data["valid"], data["region"]

        assert validated("") == (False, "us-east-1")
        assert validated(f"[default]\n{KEYS}region = eu-central-1\n") == (True, "eu-central-1")
        assert validated(f"[default]\n{KEYS}region = ap-south-1\n") == (True, "ap-south-1")


def test_a_file_that_is_no_config_file_fails_by_name(aws_files: Path) -> None:
    (aws_files / "config").write_text("this is not = [a config file\n[[[")
    data = run("aws/validate-credentials")
    assert failed(data) == ["profile"]
    assert str(aws_files / "config") in check(data, "profile")["message"]


def test_the_stacks_sandbox_is_signed_with_its_own_keys_whatever_is_set(
    sandbox_keys: str, aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.aws.session import Sessions
    from server.security.redaction import Redactor

    (aws_files / "credentials").write_text(f"[default]\n{KEYS}")
    monkeypatch.setenv("AWS_PROFILE", "gone")
    sessions = Sessions(Settings(aws_endpoint_url="http://aws-sandbox:5000"), Redactor())
    client = sessions.client("sts")
    signed: list[Any] = []
    client.meta.events.register(
        "before-send.sts", lambda request, **_: signed.append(request.headers) or _Answer()
    )
    client.get_caller_identity()
    authorization = signed[0]["Authorization"]
    assert b"Credential=sandbox/" in (
        authorization if isinstance(authorization, bytes) else authorization.encode()
    )
    assert sessions.origin().source == "sandbox"
    assert sessions.is_sandbox(None)


class _Answer:
    status_code = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - read only
    text = ""
    content = (
        b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        b"<Arn>a</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult>"
        b"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )


def test_profiles_are_listed_with_their_source_and_without_secrets(aws_files: Path) -> None:
    (aws_files / "config").write_text(
        "[default]\nregion = us-east-1\n"
        "[profile admin]\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = keys\n"
        "[profile lost]\nrole_arn = arn:aws:iam::1:role/lost\nsource_profile = gone\n"
        "[profile pod]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = /token\n"
        "[profile company]\nsso_session = company\nsso_account_id = 1\n"
        "[profile program]\ncredential_process = /bin/program --secret wJalrXUtnFEMI\n"
    )
    (aws_files / "credentials").write_text(
        f"[keys]\n{KEYS}[half]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    )
    data = run("aws/list-profiles")
    assert {item["name"]: item["source"] for item in data["profiles"]} == {
        "admin": "assume-role",
        "company": "sso",
        "default": "none",
        "half": "shared-credentials-file",
        "keys": "shared-credentials-file",
        "lost": "assume-role",
        "pod": "web-identity",
        "program": "credential-process",
    }
    assert {item["name"]: item["problem"] for item in data["profiles"] if item["problem"]} == {
        "default": "no credentials in this profile",
        "half": "aws_access_key_id without aws_secret_access_key",
        "lost": "source_profile 'gone' does not exist",
    }
    assert data["count"] == 8
    assert "wJalr" not in json.dumps(data)
    assert "AKIA" not in json.dumps(data)


def test_the_account_is_described_and_what_may_not_be_asked_is_noted(sandbox_keys: str) -> None:
    data = run("aws/account-info", aws_endpoint_url=sandbox_keys)
    assert (data["account"], data["aliases"]) == ("123456789012", ["mcpctl-sandbox"])
    assert "us-east-1" in data["regions"]
    assert data["organization"] is None
    assert "AWSOrganizationsNotInUseException" in data["notes"][0]


@pytest.mark.parametrize(
    ("environment", "aws_code"),
    [({}, "NoCredentialsError"), ({"AWS_PROFILE": "gone"}, "ProfileNotFound")],
)
def test_a_tool_that_needs_aws_fails_with_the_reason_and_a_remedy(
    environment: dict[str, str], aws_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    status, error = fails("aws/account-info")
    assert (status, error["code"], error["details"]["aws_code"]) == (502, "AWS_ERROR", aws_code)
    assert error["hint"]


def test_the_environment_report_walks_the_whole_way(sandbox_keys: str, aws_files: Path) -> None:
    (aws_files / "config").write_text("[default]\n")
    data = run("aws/test-environment", aws_endpoint_url=sandbox_keys)
    assert (data["ok"], data["source"], data["endpoint"]) == (True, "environment", sandbox_keys)
    assert data["latency_ms"] > 0
    assert abs(data["clock_skew_seconds"]) < 5
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(data["variables"])
    assert "wJalr" not in json.dumps(data)
    assert [(file["exists"], file["readable"]) for file in data["files"]] == [(True, True), (False, False)]


def test_a_file_that_the_services_user_cannot_read_is_told_with_the_command(
    aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws_files / "credentials").write_text(f"[default]\n{KEYS}")
    # The tests may run as root, whom no mode keeps out.
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("credentials"))
    data = run("aws/test-environment", aws_endpoint_url=UNUSED)
    assert "files" in failed(data)
    assert "setfacl" in check(data, "files")["hint"]


@pytest.mark.parametrize(
    "params", [{"profle": "x"}, {"profile": 7}, {"profile": ""}, {"profile": "a\nb"}, {"region": "nowhere"}]
)
@pytest.mark.parametrize("tool", ["aws/validate-credentials", "aws/account-info", "aws/test-environment"])
def test_parameters_that_make_no_sense_are_refused(tool: str, params: dict[str, Any]) -> None:
    status, error = fails(tool, params)
    assert (status, error["code"]) == (422, "INVALID_PARAMS")
    assert error["details"]["fields"][0]["field"] == next(iter(params))


def test_a_profile_outranked_by_keys_is_mentioned(
    sandbox_keys: str, aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws_files / "credentials").write_text(f"[dev]\n{KEYS}")
    monkeypatch.setenv("AWS_PROFILE", "dev")
    data = run("aws/validate-credentials", aws_endpoint_url=sandbox_keys)
    assert data["source"] == "environment"
    assert "AWS_PROFILE is set too" in check(data, "credentials")["message"]


@pytest.mark.parametrize(("skew", "ok"), [(0.4, True), (-239.0, True), (300.0, False), (-300.0, False)])
def test_a_clock_that_aws_would_refuse_soon_is_told_with_a_remedy(skew: float, ok: bool) -> None:
    identity = Identity("1", "arn", "u", 1.0, skew)
    (clock,) = environment_checks(identity, [])
    assert (clock.name, clock.ok, clock.hint is None) == ("clock", ok, ok)


def test_the_skew_is_how_far_this_clock_is_ahead_of_the_answers_date() -> None:
    assert (clock_skew("Mon, 01 Jan 2024 00:00:00 GMT") or 0) > 0
    assert (clock_skew("Fri, 01 Jan 2100 00:00:00 GMT") or 0) < 0
    assert clock_skew(None) is None
    assert clock_skew("yesterday") is None
