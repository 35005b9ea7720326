from __future__ import annotations

import json
import sys

import pytest

from mcpctl.aws.profiles import Profile, list_profiles
from mcpctl.errors import CredentialsError
from tests.unit.mcpctl.aws.conftest import Home

SECRET = "wJalrSecret"
KEYS = f"aws_access_key_id = AKIA\naws_secret_access_key = {SECRET}\n"


def problem_of(home: Home, name: str) -> str | None:
    found = {profile.name: profile for profile in list_profiles({}, home.path)}
    return found[name].problem


def test_both_files_make_the_list_by_name(home: Home):
    home.write(
        "config",
        "[profile b]\nregion = eu-west-1\n[default]\nregion = us-west-2\n[sso-session s]\nsso_region = x\n",
    )
    home.write("credentials", f"[b]\n{KEYS}[a]\n{KEYS}")
    found = list_profiles({"AWS_PROFILE": "b"}, home.path)
    assert [(p.name, p.source, p.region, p.active) for p in found] == [
        ("a", "shared-credentials-file", None, False),
        ("b", "shared-credentials-file", "eu-west-1", True),
        ("default", "none", "us-west-2", False),
    ]


def test_no_secret_is_listed(home: Home):
    home.write("credentials", f"[default]\n{KEYS}")
    (profile,) = list_profiles({}, home.path)
    assert SECRET not in json.dumps(profile.to_json())
    assert profile == Profile("default", "shared-credentials-file", None, None, None, active=True)


def test_a_machine_without_files_has_no_profiles(home: Home):
    assert list_profiles({}, home.path) == ()


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("aws_access_key_id = a\n", "aws_access_key_id without aws_secret_access_key"),
        ("region = x\n", "no credentials in it: no keys, no role_arn, no SSO, no credential_process"),
        ("role_arn = r\n", "role_arn needs source_profile or credential_source"),
        ("role_arn = r\nsource_profile = bass\n", "source_profile bass does not exist; is it base?"),
        ("role_arn = r\nsource_profile = p\n", "source_profile goes round in a circle: p -> p"),
        (
            "role_arn = r\nsource_profile = half\n",
            "source_profile half: aws_access_key_id without aws_secret_access_key",
        ),
        ("role_arn = r\nsource_profile = base\n", None),
        (
            "role_arn = r\ncredential_source = Ec2\n",
            "credential_source Ec2 is none of Environment, Ec2InstanceMetadata, EcsContainer",
        ),
        ("role_arn = r\ncredential_source = Environment\n", None),
        (
            "role_arn = r\nweb_identity_token_file = /no/token\n",
            "web_identity_token_file is not there: /no/token",
        ),
        (
            "credential_process = /no/program --flag\n",
            "credential_process cannot be run: /no/program is not there",
        ),
        ("credential_process = 'open\n", "credential_process is not a command"),
        (f"credential_process = {sys.executable} x\n", None),
        ("sso_session = none\n", "sso_session none does not exist"),
        ("sso_session = s\nsso_account_id = 1\n", "sso_role_name missing"),
        ("sso_session = s\nsso_account_id = 1\nsso_role_name = r\n", "not signed in: aws sso login"),
    ],
)
def test_a_profile_that_cannot_work_says_why(home: Home, section: str, problem: str | None):
    home.write(
        "config",
        f"[profile p]\n{section}[profile base]\n{KEYS}"
        "[profile half]\naws_access_key_id = a\n[sso-session s]\nsso_region = x\n",
    )
    assert problem_of(home, "p") == problem


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ({"expiresAt": "2999-01-01T00:00:00Z"}, None),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "the sign-in has expired: aws sso login"),
        ({"expiresAt": "2001-01-01T00:00:00UTC"}, "the sign-in has expired: aws sso login"),
        ({"expiresAt": "2001-01-01T00:00:00Z", "refreshToken": "r"}, None),
        ({}, "the cached sign-in cannot be read: aws sso login"),
    ],
)
def test_the_cached_sign_in_is_looked_at(home: Home, token: dict[str, str], problem: str | None):
    home.write(
        "config",
        "[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = x\n",
    )
    home.write("sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json", json.dumps(token))
    assert problem_of(home, "p") == problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("aws_access_key_id = a\n", "credentials, line 1: a setting stands before the first [section]"),
        ("[default]\nwJalrSecret\n", "credentials, line 2: this is not `name = value`"),
        ("[a]\nx = 1\n[a]\n", "credentials, line 3: the section [a] is there twice"),
        ("[a]\nx = 1\nx = 2\n", "credentials, line 3: x is set twice in [a]"),
    ],
)
def test_a_broken_file_is_told_by_line_without_quoting_it(home: Home, text: str, said: str):
    path = home.write("credentials", text)
    with pytest.raises(CredentialsError) as caught:
        list_profiles({}, home.path)
    assert caught.value.message == f"{path.parent}/{said}"
    assert SECRET not in f"{caught.value.message}{caught.value.details}{caught.value.__cause__}"


def test_a_file_that_is_not_text_is_told(home: Home):
    home.write("config", "").write_bytes(b"\xff\xfe")
    with pytest.raises(CredentialsError, match="it is not UTF-8 text"):
        list_profiles({}, home.path)
