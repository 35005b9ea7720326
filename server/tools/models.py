"""What the identity tools accept and answer with."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from server.registry import Parameters, Result


class NoParameters(Parameters):
    """A tool that needs nothing."""


class IdentityParameters(Parameters):
    """Which identity to look at."""

    profile: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        pattern=r"^[^\x00-\x1f\[\]]+$",
        description="Profile of the AWS files; without it the service's own credentials are used.",
    )
    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$",
        description="Region to call, such as eu-central-1; without it the configured one.",
    )


class Check(Result):
    """One thing that was looked at, and what to do where it is not well."""

    name: str
    ok: bool
    message: str
    hint: str | None = None


class Validation(Result):
    """Whether the credentials work, whose they are and where they come from."""

    valid: bool
    account: str | None
    arn: str | None
    user_id: str | None
    source: str | None = Field(description="The credential source that won, such as environment or sso.")
    profile: str | None
    region: str
    expires_at: datetime | None
    sandbox: bool = Field(description="True when a sandbox answered, not AWS.")
    checks: list[Check]


class ProfileSummary(Result):
    """One profile of the AWS files, without secrets."""

    name: str
    source: str
    region: str | None
    role_arn: str | None
    problem: str | None = Field(description="Why the profile cannot work as it is written.")


class ProfileList(Result):
    """The profiles that may be used."""

    profiles: list[ProfileSummary]
    count: int
    active: str | None = Field(description="The profile that AWS_PROFILE chooses.")


class Organization(Result):
    """The organisation that the account belongs to."""

    id: str
    management_account: str | None


class AccountInfo(Result):
    """The account behind the credentials."""

    account: str
    aliases: list[str] | None
    arn: str
    user_id: str
    region: str
    regions: list[str] | None = Field(
        description="Regions that are switched on; null where not allowed to ask."
    )
    organization: Organization | None
    sandbox: bool
    notes: list[str] = Field(description="What could not be asked, and why.")


class ConfigFile(Result):
    """One of the AWS files, as the service's user sees it."""

    path: str
    exists: bool
    readable: bool


class EnvironmentReport(Result):
    """The way from the service to AWS, step by step."""

    ok: bool
    source: str | None
    region: str
    endpoint: str | None = Field(description="What replaces AWS's own endpoints, if anything.")
    latency_ms: float | None = Field(description="Time of one sts:GetCallerIdentity.")
    clock_skew_seconds: float | None = Field(description="How far this clock is ahead of AWS's.")
    variables: list[str] = Field(description="Names of the AWS variables that are set; never their values.")
    files: list[ConfigFile]
    sandbox: bool
    checks: list[Check]
