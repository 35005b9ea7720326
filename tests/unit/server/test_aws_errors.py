"""What AWS failures mean to the caller."""

from __future__ import annotations

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from server.aws.errors import _BY_CLASS, _BY_CODE, fault_of
from server.aws.session import SOURCES
from server.faults import Code

CLASSES = [
    value
    for value in vars(botocore.exceptions).values()
    if isinstance(value, type) and issubclass(value, Exception)
]
#: Mistakes in botocore's own models, and warnings: nothing that a caller's environment can cause.
NOT_OURS = {
    "MissingServiceIdError",
    "UndefinedModelAttributeError",
    "ImminentRemovalWarning",
    "UnsupportedTLSVersionWarning",
}


def made(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    Exception.__init__(error, "marked")
    return error


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, BotoCoreError)])
def test_every_class_of_botocore_becomes_an_aws_error_with_a_remedy(kind: type[Exception]) -> None:
    fault = fault_of(made(kind))
    assert fault is not None
    assert (fault.code, fault.details["aws_code"]) == (Code.AWS_ERROR, kind.__name__)
    assert fault.hint


def test_no_class_of_botocore_stands_outside_the_two_that_are_mapped() -> None:
    outside = {kind.__name__ for kind in CLASSES if not issubclass(kind, BotoCoreError | ClientError)}
    assert outside == NOT_OURS


def test_every_mapped_class_exists_and_none_hides_a_later_one() -> None:
    seen: list[type] = []
    for name, _ in _BY_CLASS:
        kind = getattr(botocore.exceptions, name)
        assert not [earlier for earlier in seen if issubclass(kind, earlier)], name
        seen.append(kind)


@pytest.mark.parametrize("code", _BY_CODE)
def test_an_answer_of_aws_keeps_its_code_operation_and_request_id(code: str) -> None:
    response = {
        "Error": {"Code": code, "Message": "because"},
        "ResponseMetadata": {"RequestId": "r-1", "HTTPStatusCode": 403},
    }
    fault = fault_of(ClientError(response, "GetCallerIdentity"))
    assert fault is not None
    assert fault.message == f"AWS refused GetCallerIdentity: {code}: because"
    assert fault.details == {
        "aws_code": code,
        "operation": "GetCallerIdentity",
        "request_id": "r-1",
        "http_status": 403,
    }
    assert fault.hint == _BY_CODE[code].hint
    assert fault.retryable is _BY_CODE[code].retryable


def test_an_unknown_code_points_at_the_environment_test_and_a_5xx_may_be_tried_again() -> None:
    response = {"Error": {"Code": "Odd"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    fault = fault_of(ClientError(response, "ListUsers"))
    assert fault is not None
    assert "aws/test-environment" in str(fault.hint)
    assert fault.retryable is True


def test_an_exception_of_anybody_else_is_not_explained() -> None:
    assert fault_of(ValueError("x")) is None


def test_every_credential_provider_of_botocore_has_a_name_that_users_meet() -> None:
    import botocore.credentials

    methods = {
        provider.METHOD
        for provider in vars(botocore.credentials).values()
        if isinstance(provider, type) and getattr(provider, "METHOD", None)
    }
    assert methods <= set(SOURCES)
