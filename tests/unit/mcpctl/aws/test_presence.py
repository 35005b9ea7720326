from __future__ import annotations

import subprocess
import sys

import pytest

from mcpctl.aws.presence import credentials_present
from tests.unit.mcpctl.aws.conftest import Home

KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = s\n"


def test_a_machine_without_credentials_has_none(home: Home):
    assert credentials_present({"AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": ""}, home.path) is None


def test_keys_in_the_environment_come_first(home: Home):
    home.write("credentials", f"[default]\n{KEYS}")
    assert credentials_present({"AWS_ACCESS_KEY_ID": "AKIA"}, home.path) == "environment: AWS_ACCESS_KEY_ID"


def test_the_sandboxes_own_keys_do_not_count(home: Home):
    assert credentials_present({"AWS_ACCESS_KEY_ID": "sandbox"}, home.path) is None
    home.write("credentials", "[default]\naws_access_key_id = sandbox\naws_secret_access_key = sandbox\n")
    assert credentials_present({}, home.path) is None


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("credentials", f"[default]\n{KEYS}", "shared-credentials-file: profile default"),
        ("config", f"[default]\n{KEYS}", "config-file: profile default"),
        ("config", "[default]\nrole_arn = a\nsource_profile = b\n", "assume-role: profile default"),
        ("config", "[default]\nsso_session = s\n", "sso: profile default"),
        ("config", "[default]\ncredential_process = p\n", "credential-process: profile default"),
        ("config", "[default]\nlogin_session = arn\n", "login: profile default"),
        ("config", "[default]\nregion = eu-west-1\n", None),
        ("config", f"[profile other]\n{KEYS}", None),
        ("config", "[default]\nnonsense\n", "files: "),
    ],
)
def test_the_default_profile_is_named_by_what_it_is_made_of(
    home: Home, file: str, text: str, named: str | None
):
    home.write(file, text)
    found = credentials_present({}, home.path)
    assert found is None if named is None else found is not None and found.startswith(named)


def test_a_named_profile_that_is_not_there_still_is_a_choice(home: Home):
    assert credentials_present({"AWS_PROFILE": "prod"}, home.path) == "profile prod: not found"


def test_the_config_directory_is_honoured(home: Home):
    home.write("credentials", f"[default]\n{KEYS}")
    elsewhere = home.path / "nowhere"
    assert credentials_present({"AWS_CONFIG_DIR": str(home.path / ".aws")}, elsewhere) is not None
    assert credentials_present({}, elsewhere) is None


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x"},
            "container-role: AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "a"},
            "web-identity: AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, None),
    ],
)
def test_roles_of_containers_are_found(home: Home, environment: dict[str, str], named: str | None):
    assert credentials_present(environment, home.path) == named


def test_looking_loads_no_sdk():
    script = (
        "import sys, mcpctl.aws.presence as p; p.credentials_present({}); print('botocore' in sys.modules)"
    )
    asked = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert asked.stdout == "False\n"
