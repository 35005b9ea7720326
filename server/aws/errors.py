"""What an AWS failure means: one sentence, one remedy, and whether to try again.

Every exception of botocore ends here. The most specific class stands first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from server.faults import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about one kind of failure."""

    hint: str
    retryable: bool = False


_RENEW: Final = Remedy("renew the credentials (aws sso login, or new keys in .env) and try again")
_WRONG_KEY: Final = Remedy(
    "check AWS_ACCESS_KEY_ID: AWS does not know this key; temporary keys need AWS_SESSION_TOKEN"
)
_CLOCK: Final = Remedy("set the clock of the host: AWS accepts requests within 5 minutes of its own time")
_POLICY: Final = Remedy("let an administrator allow the action that the message names for this identity")
_SLOWER: Final = Remedy("AWS limits the rate; try again in a few seconds", retryable=True)
_NETWORK: Final = Remedy("check the way to AWS: DNS, proxy, firewall, AWS_ENDPOINT_URL", retryable=True)
_PROFILES: Final = Remedy("see aws/list-profiles for the profiles that can be used")
_LOGIN: Final = Remedy("run aws sso login for this profile on the host, then try again")
_CONFIG: Final = Remedy("mend the file in AWS_CONFIG_DIR that the message names")
_REGION: Final = Remedy("set AWS_DEFAULT_REGION to a region that is switched on for the account")

#: AWS error code -> remedy, for answers that AWS itself gave.
_BY_CODE: Final[Mapping[str, Remedy]] = {
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "TokenRefreshRequired": _RENEW,
    "InvalidClientTokenId": _WRONG_KEY,
    "UnrecognizedClientException": _WRONG_KEY,
    "InvalidAccessKeyId": _WRONG_KEY,
    "AuthFailure": _WRONG_KEY,
    "SignatureDoesNotMatch": Remedy(
        "check AWS_SECRET_ACCESS_KEY (whole, no spaces) and the clock of the host"
    ),
    "IncompleteSignature": Remedy("check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for stray characters"),
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "AccessDenied": _POLICY,
    "AccessDeniedException": _POLICY,
    "UnauthorizedOperation": _POLICY,
    "OptInRequired": Remedy("switch the service or region on for this account in the AWS console"),
    "InvalidRegion": _REGION,
    "Throttling": _SLOWER,
    "ThrottlingException": _SLOWER,
    "RequestLimitExceeded": _SLOWER,
    "TooManyRequestsException": _SLOWER,
    "SlowDown": _SLOWER,
    "ServiceUnavailable": Remedy("AWS is not available just now; try again", retryable=True),
    "InternalFailure": Remedy("AWS failed; try again", retryable=True),
}

#: botocore class -> remedy, for failures before or without an answer; a class covers those derived from it.
_BY_CLASS: Final = (
    (
        "NoCredentialsError",
        Remedy("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in .env"),
    ),
    ("PartialCredentialsError", Remedy("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together")),
    (
        "MetadataRetrievalError",
        Remedy("check the role of the instance, and a metadata hop limit of at least 2"),
    ),
    (
        "CredentialRetrievalError",
        Remedy("run the profile's credential_process or login on the host to see why"),
    ),
    ("ProfileNotFound", _PROFILES),
    ("UnauthorizedSSOTokenError", _LOGIN),
    ("SSOError", _LOGIN),
    ("TokenRetrievalError", _LOGIN),
    ("LoginError", _LOGIN),
    ("ConfigParseError", _CONFIG),
    ("ConfigNotFound", _CONFIG),
    ("InvalidConfigError", _CONFIG),
    ("UnknownCredentialError", _CONFIG),
    ("NoRegionError", _REGION),
    ("InvalidRegionError", _REGION),
    ("SSLError", Remedy("check the certificate chain; behind an inspecting proxy set AWS_CA_BUNDLE")),
    ("ProxyConnectionError", Remedy("check HTTPS_PROXY and NO_PROXY", retryable=True)),
    ("ConnectionError", _NETWORK),
    ("HTTPClientError", _NETWORK),
    ("EndpointProviderError", _REGION),
)
_UNKNOWN: Final = Remedy("aws/test-environment shows the source, region and endpoint that are used")


def fault_of(error: BaseException) -> Fault | None:
    """Return the fault for an exception of botocore, None for any other."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, BotoCoreError):
        return _unanswered(error)
    return None


def _answered(error: ClientError) -> Fault:
    response = cast("dict[str, Any]", error.response)
    answer = cast("dict[str, Any]", response.get("Error", {}))
    metadata = cast("dict[str, Any]", response.get("ResponseMetadata", {}))
    code = str(answer.get("Code", "Unknown"))
    status = metadata.get("HTTPStatusCode")
    remedy = _BY_CODE.get(code, _UNKNOWN)
    details: dict[str, object] = {
        "aws_code": code,
        "operation": error.operation_name,
        "request_id": metadata.get("RequestId"),
        "http_status": status,
    }
    failed_there = isinstance(status, int) and status >= 500
    return Fault(
        Code.AWS_ERROR,
        f"AWS refused {error.operation_name}: {code}: {answer.get('Message') or 'no reason given'}",
        hint=remedy.hint,
        details=details,
        retryable=remedy.retryable or failed_there,
    )


def _unanswered(error: BaseException) -> Fault:
    ancestry = {ancestor.__name__ for ancestor in type(error).__mro__}
    remedy = next((remedy for name, remedy in _BY_CLASS if name in ancestry), _UNKNOWN)
    return Fault(
        Code.AWS_ERROR,
        f"AWS was not reached: {error}",
        hint=remedy.hint,
        details={"aws_code": type(error).__name__},
        retryable=remedy.retryable,
    )
