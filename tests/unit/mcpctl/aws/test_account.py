from __future__ import annotations

import boto3
import pytest

from mcpctl.aws.account import account_info
from mcpctl.errors import CredentialsError
from tests.unit.mcpctl.aws.conftest import Home, Refusing


def keys(url: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": url}


@pytest.fixture
def aliased(moto: str) -> str:
    client = boto3.client(
        "iam", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_account_alias(AccountAlias="acme")
    return moto


def test_the_account_is_described(aliased: str, home: Home):
    found = account_info(keys(aliased), home.path)
    assert (found.account, found.aliases, found.sandbox) == ("123456789012", ("acme",), True)
    assert found.regions is not None
    assert "eu-west-1" in found.regions
    assert found.organization is None
    assert found.notes == ()


def test_it_can_be_written_as_json(moto: str, home: Home):
    answer = account_info(keys(moto), home.path).to_json()
    assert {
        "account",
        "arn",
        "user_id",
        "region",
        "aliases",
        "organization",
        "regions",
        "sandbox",
        "notes",
    } == set(answer)


def test_refused_credentials_are_an_error(refusing: Refusing, home: Home):
    with pytest.raises(CredentialsError, match="AccessDenied"):
        account_info(keys(refusing.url), home.path)


def test_without_credentials_nothing_is_asked(refusing: Refusing, home: Home):
    with pytest.raises(CredentialsError, match="Unable to locate credentials"):
        account_info({"AWS_ENDPOINT_URL": refusing.url, "AWS_EC2_METADATA_DISABLED": "true"}, home.path)
    assert refusing.bodies == []
