"""One connection to AWS as a mapping of variables describes it: bounded in time, and aware of who signs."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from mcpctl.aws import errors, files, presence
from mcpctl.aws import settings as aws_settings
from mcpctl.aws.profiles import nearest
from mcpctl.aws.settings import DEFAULT_REGION, SANDBOX_ACCOUNT, SANDBOX_HOST
from mcpctl.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from mcpctl.aws.settings import Settings

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = 2
# Off EC2 nobody answers at the metadata address: one short try, after everything else.
METADATA = {"AWS_METADATA_SERVICE_TIMEOUT": "1", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1"}
OFFICIAL = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")

#: botocore's name of a credential provider -> the name that users meet, here and in the tool service.
SOURCES: Mapping[str, str] = {
    "env": "environment",
    "assume-role-with-web-identity": "web-identity",
    "custom-process": "credential-process",
    "iam-role": "instance-metadata",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where credentials come from and when they end; never the credentials."""

    source: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """AWS's answer to GetCallerIdentity; a positive skew means that this clock is ahead."""

    account: str
    arn: str
    user_id: str
    latency_ms: float
    clock_skew_seconds: float | None


class Connection:
    """AWS as one set of variables sees it; every method raises McpctlError or a subclass."""

    def __init__(self, settings: Settings) -> None:
        from botocore.session import Session

        self.settings = settings
        self._session: Any = Session()
        self._origin: Origin | None = None
        self._clients: dict[tuple[str, str | None], Any] = {}

    @property
    def profile(self) -> str | None:
        """Give the profile in use, if the variables name one."""
        return self.settings.profile

    @property
    def context(self) -> errors.Context:
        """Give what an error should name."""
        source = self._origin.source if self._origin else None
        variables = self.settings.variables
        endpoint = variables.get("AWS_ENDPOINT_URL_STS") or variables.get("AWS_ENDPOINT_URL")
        region = variables.get("AWS_DEFAULT_REGION")
        return errors.Context(source, self.profile, region, endpoint, _nearest_profile(self.settings))

    def region(self) -> str:
        """Give the region of calls: the variables', the profile's, or us-east-1."""
        with errors.translated(self.context):
            return cast("str | None", self._session.get_config_variable("region")) or DEFAULT_REGION

    def origin(self) -> Origin:
        """Resolve the credentials and tell where they come from.

        Raises CredentialsError where there are none.
        """
        if self._origin is None:
            with errors.translated(self.context):
                credentials: Any = self._session.get_credentials()
                if credentials is None:
                    from botocore.exceptions import NoCredentialsError

                    raise NoCredentialsError
                method = str(credentials.method)
                self._origin = Origin(SOURCES.get(method, method))
                credentials.get_frozen_credentials()
                expires_at: datetime | None = getattr(credentials, "_expiry_time", None)
            self._origin = Origin(self._origin.source, expires_at)
        return self._origin

    def client(self, service: str, region: str | None = None) -> Any:
        """Give a client with bounded time-outs and retries; its calls belong into `asking`."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self._new_client(service, region or self.region())
        return self._clients[key]

    def _new_client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        )
        with errors.translated(self.context):
            return self._session.create_client(service, region_name=region, config=config)

    def asking(self) -> contextlib.AbstractContextManager[None]:
        """Open a block whose failures become errors of ours."""
        return errors.translated(self.context)

    def identity(self, region: str | None = None) -> Identity:
        """Ask AWS who the caller is, which every valid identity may."""
        client = self.client("sts", region)
        began = time.perf_counter()
        with self.asking():
            answer: dict[str, Any] = client.get_caller_identity()
        latency = round((time.perf_counter() - began) * 1000, 1)
        headers: dict[str, str] = answer["ResponseMetadata"].get("HTTPHeaders", {})
        skew = clock_skew(headers.get("date"), datetime.now(UTC))
        return Identity(answer["Account"], answer["Arn"], answer["UserId"], latency, skew)

    def endpoint(self) -> str:
        """Give the address that STS is asked at."""
        return cast("str", self.client("sts").meta.endpoint_url)

    def is_sandbox(self, account: str | None) -> bool:
        """Tell whether an answer for ``account`` comes from a sandbox rather than from AWS."""
        host = urlsplit(self.endpoint()).hostname or ""
        return host == SANDBOX_HOST or (not host.endswith(OFFICIAL) and account == SANDBOX_ACCOUNT)


@contextlib.contextmanager
def connect(environment: Mapping[str, str], home: Path | None = None) -> Generator[Connection]:
    """Open a connection with these settings; the process environment is put back after it."""
    settings = aws_settings.effective(environment, home)
    files.read(settings)
    with aws_settings.applied(_with_metadata(settings, environment, home)):
        yield Connection(settings)


def clock_skew(date: str | None, now: datetime) -> float | None:
    """Give by how many seconds ``now`` is ahead of an HTTP ``Date``; None where there is none."""
    try:
        return round((now - parsedate_to_datetime(date or "")).total_seconds(), 1)
    except (ValueError, TypeError):
        return None


def _with_metadata(settings: Settings, environment: Mapping[str, str], home: Path | None) -> Settings:
    """Ask the metadata service only where nothing else is, or where a profile says so."""
    other = settings.sandbox_keys or presence.credentials_present(environment, home)
    added = METADATA if not other or _uses_metadata(settings) else {"AWS_EC2_METADATA_DISABLED": "true"}
    return replace(settings, variables={**added, **settings.variables})


def _uses_metadata(settings: Settings) -> bool:
    sections = files.read(settings).profiles.values()
    return any(section.get("credential_source") == "Ec2InstanceMetadata" for section in sections)


def _nearest_profile(settings: Settings) -> str | None:
    if settings.profile is None:
        return None
    with contextlib.suppress(CredentialsError):
        return nearest(settings.profile, files.read(settings).profiles)
    return None
