"""What a failure of AWS or botocore means: one error of ours, one remedy. Secrets never get into either.

A class stands for those derived from it. AWS's own codes have their table, `CODES`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.errors import ConfigError, CredentialsError, McpctlError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


@dataclass(frozen=True, slots=True)
class Context:
    """What an error names beside itself: which source won, and where the call went."""

    source: str | None = None
    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None
    nearest_profile: str | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that one kind of failure becomes, and its remedy; ``{…}`` is filled from the context."""

    error: type[McpctlError]
    hint: str


_NONE = Meaning(CredentialsError, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in .env")
_PARTIAL = Meaning(CredentialsError, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together")
_PROFILE = Meaning(CredentialsError, "mcpctl aws list-profiles")
_SIGN_IN = Meaning(CredentialsError, "aws sso login --profile {profile}")
_LOGIN = Meaning(CredentialsError, "aws login --profile {profile}")
_SOURCE = Meaning(CredentialsError, "mcpctl aws list-profiles, then mend what it says of profile {profile}")
_METADATA = Meaning(CredentialsError, "set AWS_EC2_METADATA_DISABLED=true off EC2; on it, attach a role")
_FILES = Meaning(ConfigError, "mend the file that is named, or set AWS_CONFIG_DIR")
_REGION = Meaning(ConfigError, "set AWS_DEFAULT_REGION=us-east-1, or another region of the account")
_ENDPOINT = Meaning(McpctlError, "check DNS, proxy and firewall, and AWS_ENDPOINT_URL: {endpoint}")
_PROXY = Meaning(McpctlError, "check HTTPS_PROXY and NO_PROXY")
_TLS = Meaning(McpctlError, "set AWS_CA_BUNDLE to the CA bundle of the proxy that inspects TLS")
_SETTING = Meaning(ConfigError, "mend the setting that is named, in the environment or in AWS_CONFIG_DIR")
_INSTALL = Meaning(McpctlError, "rm -rf .venv && ./bootstrap")
_CALL = Meaning(McpctlError, "mcpctl --verbose aws test")
_AGAIN = Meaning(McpctlError, "AWS limits the rate; try again in a few seconds")

#: botocore's and boto3's classes. The most specific one in an exception's ancestry decides.
CLASSES: Mapping[str, Meaning] = {
    "NoCredentialsError": _NONE,
    "NoAuthTokenError": _NONE,
    "PartialCredentialsError": _PARTIAL,
    "ProfileNotFound": _PROFILE,
    "SSOError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "UnknownTokenProviderError": _SIGN_IN,
    "LoginError": _LOGIN,
    "CredentialRetrievalError": _SOURCE,
    "UnknownCredentialError": _SOURCE,
    "RefreshWithMFAUnsupportedError": _SOURCE,
    "InfiniteLoopConfigError": _SOURCE,
    "MetadataRetrievalError": _METADATA,
    "InvalidIMDSEndpointError": _METADATA,
    "InvalidIMDSEndpointModeError": _METADATA,
    "ConfigParseError": _FILES,
    "ConfigNotFound": _FILES,
    "InvalidConfigError": _SETTING,
    "BaseEndpointResolverError": _REGION,
    "NoRegionError": _REGION,
    "UnknownRegionError": _REGION,
    "InvalidRegionError": _REGION,
    "ServiceNotInRegionError": _REGION,
    "EndpointProviderError": _REGION,
    "SSLError": _TLS,
    "ProxyConnectionError": _PROXY,
    "InvalidProxiesConfigError": _PROXY,
    "ConnectionError": _ENDPOINT,
    "HTTPClientError": _ENDPOINT,
    "InvalidHostLabelError": _ENDPOINT,
    "InvalidEndpointConfigurationError": _ENDPOINT,
    "InvalidEndpointDiscoveryConfigurationError": _SETTING,
    "InvalidRetryConfigurationError": _SETTING,
    "InvalidS3AddressingStyleError": _SETTING,
    "InvalidS3UsEast1RegionalEndpointConfigError": _SETTING,
    "InvalidSTSRegionalEndpointsConfigError": _SETTING,
    "InvalidDefaultsMode": _SETTING,
    "InvalidChecksumConfigError": _SETTING,
    "UnknownSignatureVersionError": _SETTING,
    "UnsupportedSignatureVersionError": _SETTING,
    "UnsupportedS3ConfigurationError": _SETTING,
    "UnsupportedS3AccesspointConfigurationError": _SETTING,
    "UnsupportedS3ControlConfigurationError": _SETTING,
    "InvalidDNSNameError": _SETTING,
    "DataNotFoundError": _INSTALL,
    "ApiVersionNotFoundError": _INSTALL,
    "MissingDependencyException": _INSTALL,
    "MD5UnavailableError": _INSTALL,
    "UnknownServiceStyle": _INSTALL,
    "UnsupportedServiceProtocolsError": _INSTALL,
    "CapacityNotAvailableError": _AGAIN,
    "MissingParametersError": _CALL,
    "ValidationError": _CALL,
    "ParamValidationError": _CALL,
    "PaginationError": _CALL,
    "OperationNotPageableError": _CALL,
    "ChecksumError": _CALL,
    "FlexibleChecksumError": _CALL,
    "UnseekableStreamError": _CALL,
    "WaiterError": _CALL,
    "WaiterConfigError": _CALL,
    "IncompleteReadError": _CALL,
    "InvalidExpressionError": _CALL,
    "UnknownClientMethodError": _CALL,
    "UnsupportedS3ArnError": _CALL,
    "UnsupportedS3ControlArnError": _CALL,
    "UnsupportedOutpostResourceError": _CALL,
    "StubResponseError": _CALL,
    "AwsChunkedWrapperError": _CALL,
    "EventStreamError": _CALL,
    "BotoCoreError": _CALL,
    "Boto3Error": _CALL,
}

_EXPIRED = Meaning(CredentialsError, "renew them: aws sso login --profile {profile}, or new keys in .env")
_UNKNOWN_KEY = Meaning(
    CredentialsError, "check AWS_ACCESS_KEY_ID; temporary keys (ASIA…) need AWS_SESSION_TOKEN too"
)
_SIGNATURE = Meaning(CredentialsError, "check AWS_SECRET_ACCESS_KEY: whole, no spaces, and of this key id")
_CLOCK = Meaning(CredentialsError, "set this machine's clock: sudo timedatectl set-ntp true")
_POLICY = Meaning(CredentialsError, "have the action that is named allowed for this identity")
_OPT_IN = Meaning(
    CredentialsError, "enable the region or service for this account, or set AWS_DEFAULT_REGION"
)
_THEIRS = Meaning(McpctlError, "AWS failed; try again")

#: The codes in AWS's answers.
CODES: Mapping[str, Meaning] = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"), _EXPIRED),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
        _UNKNOWN_KEY,
    ),
    **dict.fromkeys(
        ("SignatureDoesNotMatch", "IncompleteSignature", "InvalidSignatureException"), _SIGNATURE
    ),
    **dict.fromkeys(("RequestExpired", "RequestTimeTooSkewed"), _CLOCK),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _POLICY),
    **dict.fromkeys(("OptInRequired", "RegionDisabledException", "SubscriptionRequiredException"), _OPT_IN),
    **dict.fromkeys(("InvalidIdentityToken", "IDPRejectedClaim"), _SOURCE),
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"), _AGAIN
    ),
    **dict.fromkeys(("ServiceUnavailable", "InternalFailure", "InternalError"), _THEIRS),
}
# STS answers a wrong clock with this code and says so in the message only.
_SKEW_WORDS = ("Signature expired", "Signature not yet current")


@contextlib.contextmanager
def translated(context: Context) -> Generator[None]:
    """Turn what botocore raises in this block into errors of ours."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translate(error, context) from error


def meaning_of(error: BaseException) -> Meaning:
    """Look up what an exception of botocore means."""
    names = (ancestor.__name__ for ancestor in type(error).__mro__)
    return next((CLASSES[name] for name in names if name in CLASSES), _CALL)


def translate(error: Exception, context: Context) -> McpctlError:
    """Make the error of ours for an exception of botocore."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _answered(error, context)
    meaning = meaning_of(error)
    message = _message(error)
    if type(error).__name__ == "ProfileNotFound" and context.nearest_profile:
        message = f"{message}; is it {context.nearest_profile}?"
    details: dict[str, object] = {"exception": type(error).__name__}
    return _error(meaning, message, context, details)


def _answered(error: Any, context: Context) -> McpctlError:
    response = cast("dict[str, Any]", error.response)
    answer: dict[str, Any] = response.get("Error", {})
    metadata: dict[str, Any] = response.get("ResponseMetadata", {})
    code, said = str(answer.get("Code", "Unknown")), str(answer.get("Message") or "no reason given")
    meaning = _CLOCK if any(words in said for words in _SKEW_WORDS) else CODES.get(code, _CALL)
    details: dict[str, object] = {
        "aws_code": code,
        "operation": error.operation_name,
        "request_id": metadata.get("RequestId"),
        "http_status": metadata.get("HTTPStatusCode"),
    }
    return _error(meaning, f"AWS refused {error.operation_name}: {code}: {said}", context, details)


def _error(meaning: Meaning, message: str, context: Context, details: dict[str, object]) -> McpctlError:
    where = f" (credentials from {context.source})" if context.source else ""
    hint = meaning.hint.format(profile=context.profile or "default", endpoint=context.endpoint or "not set")
    named = {"source": context.source, "profile": context.profile, "region": context.region}
    return meaning.error(f"{message}{where}", hint=hint, details={**details, **named})


def _message(error: Exception) -> str:
    # A credential_process may print its secret into the error that botocore quotes.
    keywords = cast("dict[str, object]", getattr(error, "kwargs", {}))
    if keywords.get("provider") == "custom-process":
        return "the profile's credential_process failed"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
