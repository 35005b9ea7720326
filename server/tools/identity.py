"""Tools about the identity: do the credentials work, whose are they, which others are there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar, cast

from server.aws.errors import fault_of
from server.aws.identity import caller_identity
from server.aws.profiles import profiles_of
from server.aws.session import region_of
from server.registry import Tool
from server.tools.diagnosis import diagnose, environment_checks, file_report
from server.tools.models import (
    AccountInfo,
    EnvironmentReport,
    IdentityParameters,
    NoParameters,
    Organization,
    ProfileList,
    ProfileSummary,
    Validation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.registry import Call

T = TypeVar("T")


def validate_credentials(call: Call, params: IdentityParameters) -> Validation:
    """Say whether the credentials work; credentials that do not are an answer, not an error."""
    found = diagnose(call.aws, params.profile, params.region)
    identity, origin = found.identity, found.origin
    return Validation(
        valid=all(check.ok for check in found.checks),
        account=identity.account if identity else None,
        arn=identity.arn if identity else None,
        user_id=identity.user_id if identity else None,
        source=origin.source if origin else None,
        profile=found.profile,
        region=found.region,
        expires_at=origin.expires_at if origin else None,
        sandbox=call.aws.is_sandbox(identity.account if identity else None),
        checks=found.checks,
    )


def list_profiles(call: Call, params: NoParameters) -> ProfileList:
    """List the profiles of the AWS files that callers may name."""
    found = [profile for profile in profiles_of(call.aws.session()) if call.aws.allowed(profile.name)]
    profiles = [
        ProfileSummary(
            name=profile.name,
            source=profile.source,
            region=profile.region,
            role_arn=profile.role_arn,
            problem=profile.problem,
        )
        for profile in found
    ]
    active = None if call.aws.sandbox else os.environ.get("AWS_PROFILE")
    return ProfileList(profiles=profiles, count=len(profiles), active=active)


def account_info(call: Call, params: IdentityParameters) -> AccountInfo:
    """Describe the account; what the identity may not ask is null, with a note."""
    call.aws.check_profile(params.profile)
    notes: list[str] = []
    identity = caller_identity(call.aws, params.profile, params.region)

    def client(service: str) -> Any:
        return call.aws.client(service, params.profile, params.region)

    return AccountInfo(
        account=identity.account,
        aliases=_asked(lambda: client("iam").list_account_aliases()["AccountAliases"], notes),
        arn=identity.arn,
        user_id=identity.user_id,
        region=params.region or region_of(call.aws.session(params.profile)),
        regions=_asked(lambda: _regions(client("ec2")), notes),
        organization=_asked(lambda: _organization(client("organizations")), notes),
        sandbox=call.aws.is_sandbox(identity.account),
        notes=notes,
    )


def test_environment(call: Call, params: IdentityParameters) -> EnvironmentReport:
    """Walk the way from the service to AWS and report every step."""
    found = diagnose(call.aws, params.profile, params.region)
    identity = found.identity
    files = file_report()
    checks = [*found.checks, *environment_checks(identity, files)]
    return EnvironmentReport(
        ok=all(check.ok for check in checks),
        source=found.origin.source if found.origin else None,
        region=found.region,
        endpoint=call.aws.endpoint,
        latency_ms=identity.latency_ms if identity else None,
        clock_skew_seconds=identity.clock_skew_seconds if identity else None,
        variables=sorted(name for name in os.environ if name.startswith("AWS_")),
        files=files,
        sandbox=call.aws.is_sandbox(identity.account if identity else None),
        checks=checks,
    )


def _asked(ask: Callable[[], T], notes: list[str]) -> T | None:
    """Return an answer, or None and a note where AWS gives none: what one may ask differs by account."""
    try:
        return ask()
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        notes.append(fault.message)
        return None


def _regions(client: Any) -> list[str]:
    answer = cast("dict[str, list[dict[str, str]]]", client.describe_regions(AllRegions=False))
    return sorted(region["RegionName"] for region in answer["Regions"])


def _organization(client: Any) -> Organization:
    found = cast("dict[str, str]", client.describe_organization()["Organization"])
    return Organization(id=found["Id"], management_account=found.get("MasterAccountId"))


VALIDATE_CREDENTIALS = Tool(
    name="aws/validate-credentials",
    title="Validate AWS credentials",
    description=(
        "Check that AWS credentials are found, complete and accepted. Returns the account, the ARN, the "
        "source that won, the expiry, and each check with its remedy. Credentials that do not work give "
        "valid=false."
    ),
    parameters=IdentityParameters,
    result=Validation,
    function=validate_credentials,
)
LIST_PROFILES = Tool(
    name="aws/list-profiles",
    title="List AWS profiles",
    description="List the profiles of the mounted AWS files: name, credential source, region, role.",
    parameters=NoParameters,
    result=ProfileList,
    function=list_profiles,
)
ACCOUNT_INFO = Tool(
    name="aws/account-info",
    title="Describe the AWS account",
    description="Describe the account: id, aliases, identity, enabled regions, organisation where allowed.",
    parameters=IdentityParameters,
    result=AccountInfo,
    function=account_info,
)
TEST_ENVIRONMENT = Tool(
    name="aws/test-environment",
    title="Test the AWS environment",
    description=(
        "Walk the way to AWS step by step: credential source, region, endpoint, one signed call with its "
        "latency, clock skew, AWS variables that are set (names only), files that can be read."
    ),
    parameters=IdentityParameters,
    result=EnvironmentReport,
    function=test_environment,
)
