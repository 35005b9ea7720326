from __future__ import annotations

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from mcpctl.aws import errors
from mcpctl.errors import ConfigError, CredentialsError, ExitCode, McpctlError


@pytest.mark.parametrize(
    "name",
    sorted(c.__name__ for c in BotoCoreError.__subclasses__() if c.__module__ == "botocore.exceptions"),
)
def test_every_family_of_botocore_has_a_meaning(name: str):
    assert name in errors.CLASSES


def test_the_table_names_no_class_that_is_gone():
    assert [
        name for name in errors.CLASSES if name != "Boto3Error" and not hasattr(botocore.exceptions, name)
    ] == []


@pytest.mark.parametrize(
    ("error", "kind", "message", "hint"),
    [
        (
            botocore.exceptions.NoCredentialsError(),
            CredentialsError,
            "Unable to locate credentials",
            "AWS_ACCESS_KEY_ID",
        ),
        (
            botocore.exceptions.PartialCredentialsError(provider="env", cred_var="X"),
            CredentialsError,
            "missing: X",
            "together",
        ),
        (
            botocore.exceptions.ProfileNotFound(profile="prd"),
            CredentialsError,
            "(prd) could not be found; is it prod?",
            "list-profiles",
        ),
        (
            botocore.exceptions.UnauthorizedSSOTokenError(),
            CredentialsError,
            "SSO",
            "aws sso login --profile dev",
        ),
        (
            botocore.exceptions.SSOTokenLoadError(error_msg="x"),
            CredentialsError,
            "SSO",
            "aws sso login --profile dev",
        ),
        (botocore.exceptions.NoRegionError(), ConfigError, "region", "AWS_DEFAULT_REGION"),
        (botocore.exceptions.InvalidRegionError(region_name="a b"), ConfigError, "a b", "AWS_DEFAULT_REGION"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://e"),
            McpctlError,
            "http://e",
            "AWS_ENDPOINT_URL: http://end",
        ),
        (
            botocore.exceptions.ConnectTimeoutError(endpoint_url="http://e"),
            McpctlError,
            "timeout",
            "DNS, proxy",
        ),
        (botocore.exceptions.SSLError(endpoint_url="e", error="x"), McpctlError, "SSL", "AWS_CA_BUNDLE"),
        (botocore.exceptions.ConfigParseError(path="/c"), ConfigError, "/c", "AWS_CONFIG_DIR"),
    ],
)
def test_a_failure_before_aws_answers_has_its_error_and_remedy(
    error: BotoCoreError, kind: type[McpctlError], message: str, hint: str
):
    context = errors.Context("sso", "dev", "us-east-1", "http://end", "prod")
    made = errors.translate(error, context)
    assert type(made) is kind
    assert message in made.message
    assert made.message.endswith("(credentials from sso)")
    assert made.hint is not None
    assert hint in made.hint


def test_what_a_credential_process_printed_is_not_repeated():
    error = botocore.exceptions.CredentialRetrievalError(
        provider="custom-process", error_msg="SecretAccessKey: abc"
    )
    made = errors.translate(error, errors.Context())
    assert made.message == "the profile's credential_process failed"
    assert "abc" not in str(made.details)


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            "aws sso login --profile dev",
        ),
        ("InvalidClientTokenId", "The security token is invalid", "AWS_SESSION_TOKEN"),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            "AWS_SECRET_ACCESS_KEY",
        ),
        ("SignatureDoesNotMatch", "Signature expired: 2020 is now earlier than 2026", "clock"),
        ("RequestExpired", "Request has expired", "clock"),
        ("AccessDenied", "not authorized to perform: sts:AssumeRole", "allowed for this identity"),
        ("OptInRequired", "not subscribed", "AWS_DEFAULT_REGION"),
    ],
)
def test_a_refusal_is_a_credentials_error_with_aws_code_and_request(code: str, said: str, hint: str):
    answer = {
        "Error": {"Code": code, "Message": said},
        "ResponseMetadata": {"RequestId": "r-1", "HTTPStatusCode": 403},
    }
    made = errors.translate(ClientError(answer, "GetCallerIdentity"), errors.Context("environment", "dev"))
    assert isinstance(made, CredentialsError)
    assert made.exit_code is ExitCode.CREDENTIALS_INVALID
    assert made.message == f"AWS refused GetCallerIdentity: {code}: {said} (credentials from environment)"
    assert made.hint is not None
    assert hint in made.hint
    assert made.details["request_id"] == "r-1"


def test_a_failure_of_aws_itself_is_not_blamed_on_the_credentials():
    answer = {"Error": {"Code": "InternalFailure", "Message": "x"}}
    assert type(errors.translate(ClientError(answer, "X"), errors.Context())) is McpctlError


def test_a_block_lets_our_own_and_foreign_errors_through():
    with pytest.raises(ZeroDivisionError), errors.translated(errors.Context()):
        raise ZeroDivisionError
    with pytest.raises(ConfigError), errors.translated(errors.Context()):
        raise botocore.exceptions.NoRegionError
