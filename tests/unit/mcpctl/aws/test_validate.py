from __future__ import annotations

import json
import os
import socket
import sys
from datetime import UTC, datetime, timedelta

import pytest

from mcpctl.aws import session
from mcpctl.aws.probe import probe
from mcpctl.aws.validate import validate
from mcpctl.errors import ConfigError, CredentialsError, McpctlError
from tests.unit.mcpctl.aws.conftest import Home, Refusing

SECRET = "wJalrSecretSecret"


def keys(url: str, **more: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": url,
        **more,
    }


def test_keys_from_the_environment_are_valid(moto: str, home: Home):
    answer = validate(keys(moto, AWS_PROFILE="", AWS_SESSION_TOKEN=""), home.path).to_json()
    checks = answer.pop("checks")
    assert isinstance(answer.pop("user_id"), str)
    assert answer == {
        "valid": True,
        "account": "123456789012",
        "arn": "arn:aws:sts::123456789012:user/moto",
        "source": "environment",
        "profile": None,
        "region": "us-east-1",
        "expires_at": None,
        "sandbox": True,
    }
    assert [(c["name"], c["ok"]) for c in checks] == [  # pyright: ignore - JSON
        ("region", True),
        ("credentials", True),
        ("identity", True),
        ("clock", True),
    ]


@pytest.mark.parametrize(
    ("file", "text", "source"),
    [
        (
            "credentials",
            f"[p]\naws_access_key_id = a\naws_secret_access_key = {SECRET}\n",
            "shared-credentials-file",
        ),
        ("config", f"[profile p]\naws_access_key_id = a\naws_secret_access_key = {SECRET}\n", "config-file"),
        (
            "config",
            (
                "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = b\n"
                f"[profile b]\naws_access_key_id = a\naws_secret_access_key = {SECRET}\n"
            ),
            "assume-role",
        ),
    ],
)
def test_the_source_within_the_files_is_named(moto: str, home: Home, file: str, text: str, source: str):
    home.write(file, text)
    answer = validate({"AWS_PROFILE": "p", "AWS_ENDPOINT_URL": moto}, home.path).to_json()
    assert (answer["valid"], answer["source"], answer["profile"]) == (True, source, "p")


def test_a_credential_process_is_run_and_its_expiry_kept(moto: str, home: Home):
    expires = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0).isoformat()
    printed = {
        "Version": 1,
        "AccessKeyId": "a",
        "SecretAccessKey": SECRET,
        "SessionToken": "t",
        "Expiration": expires,
    }
    script = home.write("print.py", f"print({json.dumps(printed)!r})")
    home.write("config", f"[default]\ncredential_process = {sys.executable} {script}\n")
    answer = validate({"AWS_ENDPOINT_URL": moto}, home.path).to_json()
    assert (answer["source"], answer["expires_at"]) == ("credential-process", expires)


def test_a_failing_credential_process_gives_away_nothing(moto: str, home: Home):
    script = home.write("fail.py", f"import sys; sys.exit({SECRET!r})")
    home.write("config", f"[default]\ncredential_process = {sys.executable} {script}\n")
    found = validate({"AWS_ENDPOINT_URL": moto}, home.path)
    assert isinstance(found.error, CredentialsError)
    assert SECRET not in json.dumps([found.to_json(), found.error.message, found.error.details])


def test_the_region_of_the_profile_is_used(moto: str, home: Home):
    home.write(
        "config", f"[default]\nregion = eu-west-1\naws_access_key_id = a\naws_secret_access_key = {SECRET}\n"
    )
    assert validate({"AWS_ENDPOINT_URL": moto}, home.path).to_json()["region"] == "eu-west-1"


def test_without_credentials_the_settings_to_make_are_named(moto: str, home: Home):
    found = validate({"AWS_ENDPOINT_URL": moto, "AWS_EC2_METADATA_DISABLED": "true"}, home.path)
    assert not found.valid
    assert isinstance(found.error, CredentialsError)
    assert found.to_json()["checks"][-1] == {  # pyright: ignore - JSON
        "name": "credentials",
        "ok": False,
        "message": "Unable to locate credentials",
        "hint": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in .env",
    }


def test_half_a_pair_of_keys_is_told(moto: str, home: Home):
    found = validate({"AWS_ACCESS_KEY_ID": "a", "AWS_ENDPOINT_URL": moto}, home.path)
    assert found.error is not None
    assert "missing: AWS_SECRET_ACCESS_KEY" in found.error.message


def test_a_profile_that_is_not_there_offers_the_nearest(moto: str, home: Home):
    home.write("config", "[profile production]\nregion = x\n")
    found = validate({"AWS_PROFILE": "prodution", "AWS_ENDPOINT_URL": moto}, home.path)
    assert isinstance(found.error, CredentialsError)
    assert found.error.message == "The config profile (prodution) could not be found; is it production?"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ExpiredToken", 403),
        ("InvalidClientTokenId", 403),
        ("SignatureDoesNotMatch", 403),
        ("RequestExpired", 400),
    ],
)
def test_a_refusal_names_the_code_and_the_source(refusing: Refusing, home: Home, code: str, status: int):
    refusing.code, refusing.status = code, status
    found = validate(keys(refusing.url), home.path)
    assert isinstance(found.error, CredentialsError)
    assert found.error.message == f"AWS refused GetCallerIdentity: {code}: no (credentials from environment)"
    assert found.error.details["request_id"] == "11111111-2222-3333-4444-555555555555"
    answer = found.to_json()
    assert (answer["valid"], answer["source"]) == (False, "environment")
    assert SECRET not in json.dumps(answer)


def test_an_endpoint_where_nobody_listens_is_not_a_fault_of_the_credentials(home: Home):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        found = validate(keys(url), home.path)
    assert type(found.error) is McpctlError
    assert url in found.error.message
    assert found.error.hint == f"check DNS, proxy and firewall, and AWS_ENDPOINT_URL: {url}"


def test_a_region_that_cannot_be_one_is_a_setting_to_mend(moto: str, home: Home):
    found = validate(keys(moto, AWS_DEFAULT_REGION="us east"), home.path)
    assert isinstance(found.error, ConfigError)
    assert found.to_json()["checks"][0]["name"] == "region"  # pyright: ignore - JSON


def test_a_broken_file_ends_the_walk_with_its_line(home: Home):
    home.write("config", "[default\n")
    found = validate({}, home.path)
    assert not found.valid
    assert found.to_json()["checks"][0]["name"] == "files"  # pyright: ignore - JSON


def test_the_process_environment_is_as_before(moto: str, home: Home):
    before = dict(os.environ)
    validate(keys(moto), home.path)
    assert dict(os.environ) == before


def test_metadata_is_not_asked_when_there_is_another_source(home: Home):
    with session.connect({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, home.path):
        assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    with session.connect({}, home.path):
        assert os.environ["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] == "1"


@pytest.mark.parametrize(
    ("date", "skew"),
    [("Sun, 22 Nov 2026 07:00:00 GMT", 600.0), ("nonsense", None), (None, None)],
)
def test_the_clock_is_measured_against_the_answers_date(date: str | None, skew: float | None):
    assert session.clock_skew(date, datetime(2026, 11, 22, 7, 10, tzinfo=UTC)) == skew


def test_a_probe_shows_endpoint_latency_and_names_of_variables_only(moto: str, home: Home):
    found = probe(keys(moto), home.path)
    answer = found.to_json()
    assert found.ok
    assert (answer["endpoint"], answer["sandbox"]) == (moto, True)
    assert isinstance(answer["latency_ms"], float)
    assert answer["variables"] == ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY"]
    assert SECRET not in json.dumps(answer)


def test_a_probe_that_is_refused_is_not_ok(refusing: Refusing, home: Home):
    found = probe(keys(refusing.url), home.path)
    assert not found.ok
    assert isinstance(found.error, CredentialsError)
