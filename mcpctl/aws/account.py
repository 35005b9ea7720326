"""Describe the account behind the credentials: `mcpctl aws account-info`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mcpctl.aws import session
from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mcpctl.aws.session import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation that the account belongs to."""

    id: str
    arn: str
    management_account: str


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """One account; what the identity may not ask is None, and ``notes`` says so."""

    account: str
    arn: str
    user_id: str
    region: str
    aliases: tuple[str, ...] | None
    organization: Organization | None
    regions: tuple[str, ...] | None
    sandbox: bool
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Give the ``data`` of ``aws account-info``."""
        return asdict(self)


def account_info(environment: Mapping[str, str], home: Path | None = None) -> AccountInfo:
    """Ask AWS about the account.

    Raises CredentialsError where the credentials do not work; what else is refused becomes a note.
    """
    notes: list[str] = []
    with session.connect(environment, home) as aws:
        aws.origin()
        identity = aws.identity()
        return AccountInfo(
            account=identity.account,
            arn=identity.arn,
            user_id=identity.user_id,
            region=aws.region(),
            aliases=_where_allowed(lambda: _aliases(aws), notes),
            organization=_where_allowed(lambda: _organization(aws), notes),
            regions=_where_allowed(lambda: _regions(aws), notes),
            sandbox=aws.is_sandbox(identity.account),
            notes=tuple(notes),
        )


def _where_allowed(ask: Callable[[], T], notes: list[str]) -> T | None:
    try:
        return ask()
    except McpctlError as error:
        notes.append(error.message)
        return None


def _aliases(aws: Connection) -> tuple[str, ...]:
    client = aws.client("iam")
    with aws.asking():
        return tuple(client.list_account_aliases()["AccountAliases"])


def _organization(aws: Connection) -> Organization | None:
    client = aws.client("organizations")
    with aws.asking():
        try:
            found: dict[str, Any] = client.describe_organization()["Organization"]
        except client.exceptions.AWSOrganizationsNotInUseException:
            return None
    return Organization(found["Id"], found["Arn"], found["MasterAccountId"])


def _regions(aws: Connection) -> tuple[str, ...]:
    client = aws.client("ec2")
    with aws.asking():
        answer: dict[str, Any] = client.describe_regions()
    return tuple(sorted(region["RegionName"] for region in answer["Regions"]))
