"""Sessions that are reused until something about them changes, and that know their source of credentials."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from server import __version__
from server.faults import Code, Fault
from server.security.policy import allowed_profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from botocore.session import Session

    from server.security.redaction import Redactor
    from server.settings import Settings

SANDBOX_HOST: Final = "aws-sandbox"
#: The account that the sandbox answers with.
SANDBOX_ACCOUNT: Final = "123456789012"
DEFAULT_REGION: Final = "us-east-1"
_SANDBOX_KEY: Final = "sandbox"
_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 8
_ATTEMPTS: Final = 2

#: botocore's name of a credential provider -> the name that users meet.
SOURCES: Final[Mapping[str, str]] = {
    "env": "environment",
    "explicit": "sandbox",
    "shared-credentials-file": "shared-credentials-file",
    "config-file": "config-file",
    "assume-role": "assume-role",
    "assume-role-with-web-identity": "web-identity",
    "sso": "sso",
    "login": "login",
    "custom-process": "credential-process",
    "container-role": "container-role",
    "iam-role": "instance-metadata",
    "boto-config": "boto-config",
    "ec2-credentials-file": "ec2-credentials-file",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where credentials come from, and how long they last; never the credentials."""

    source: str
    expires_at: datetime | None = None
    temporary: bool = False


class Sessions:
    """Give out sessions and clients; both are made anew when a variable or a file of AWS changes.

    Sessions of botocore are not safe to share between threads while they build clients, so a lock guards
    that. Clients are safe. Credentials are resolved outside the lock, because that may wait for the network.
    """

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._lock = threading.Lock()
        self._state: tuple[object, ...] = ()
        self._sessions: dict[str | None, Session] = {}
        self._clients: dict[tuple[str, str | None, str], Any] = {}

    @property
    def endpoint(self) -> str | None:
        """Return the endpoint that replaces those of AWS, if any."""
        return self._settings.aws_endpoint_url

    @property
    def sandbox(self) -> bool:
        """Tell whether calls go to the stack's sandbox: then its fixed keys sign, and no others are read."""
        return urlsplit(self.endpoint or "").hostname == SANDBOX_HOST

    def is_sandbox(self, account: str | None) -> bool:
        """Tell whether an answer for ``account`` comes from a sandbox rather than from AWS."""
        return self.sandbox or (self.endpoint is not None and account == SANDBOX_ACCOUNT)

    def check_profile(self, profile: str | None) -> None:
        """Refuse a profile that callers may not name.

        Raises:
            Fault: FORBIDDEN.
        """
        if profile is not None and not allowed_profile(profile, self._settings):
            raise Fault(
                Code.FORBIDDEN,
                f"the profile {profile!r} may not be used",
                hint="add it to MCP_AWS_ALLOWED_PROFILES and restart the service",
                details={"profile": profile, "setting": "MCP_AWS_ALLOWED_PROFILES"},
            )

    def allowed(self, profile: str) -> bool:
        """Tell whether callers may name this profile."""
        return allowed_profile(profile, self._settings)

    def session(self, profile: str | None = None) -> Session:
        """Return the session of ``profile``, of the environment's choice by default."""
        with self._lock:
            return self._session(profile)

    def client(self, service: str, profile: str | None = None, region: str | None = None) -> Any:
        """Return a client with bounded time-outs, shared between calls."""
        session = self.session(profile)
        if not self.sandbox:
            session.get_credentials()
        with self._lock:
            name = region or region_of(session)
            key = (service, profile, name)
            if key not in self._clients:
                self._clients[key] = self._new_client(session, service, name)
            return self._clients[key]

    def origin(self, profile: str | None = None) -> Origin | None:
        """Return where the credentials of ``profile`` come from, None where there are none."""
        if self.sandbox:
            return Origin("sandbox")
        credentials = cast("Any", self.session(profile).get_credentials())
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
        self._redactor.learn(frozen.secret_key, frozen.token)
        method = str(credentials.method)
        expires_at = getattr(credentials, "_expiry_time", None)
        return Origin(SOURCES.get(method, method), expires_at, frozen.token is not None)

    def forget(self) -> None:
        """Drop every session and client, so that the next call resolves credentials anew."""
        with self._lock:
            self._state = ()

    def _session(self, profile: str | None) -> Session:
        from botocore.session import Session as NewSession

        self._refresh()
        if profile not in self._sessions:
            isolated = _isolation() if self.sandbox else None
            self._sessions[profile] = NewSession(session_vars=isolated, profile=None if isolated else profile)
        return self._sessions[profile]

    def _refresh(self) -> None:
        state = _fingerprint()
        if state != self._state:
            self._state = state
            self._sessions.clear()
            self._clients.clear()

    def _new_client(self, session: Session, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            user_agent_extra=f"mcpctl-server/{__version__}",
        )
        key = _SANDBOX_KEY if self.sandbox else None
        return cast("Any", session).create_client(
            service,
            region_name=region,
            config=config,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=key,
        )


def region_of(session: Session) -> str:
    """Return the session's region: AWS_DEFAULT_REGION, the profile's, AWS_REGION, else us-east-1."""
    configured = cast("str | None", session.get_config_variable("region"))
    return configured or os.environ.get("AWS_REGION") or DEFAULT_REGION


def config_files() -> tuple[Path, Path]:
    """Return the paths of the config file and of the shared credentials file."""
    config = os.environ.get("AWS_CONFIG_FILE", "~/.aws/config")
    credentials = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
    return Path(config).expanduser(), Path(credentials).expanduser()


def _isolation() -> dict[str, tuple[str | None, str | None, str | None, None]]:
    """Return session variables that read no profile and no file."""
    return {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }


def _fingerprint() -> tuple[object, ...]:
    variables = sorted(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return hash(tuple(variables)), *(_stamp(path) for path in config_files())


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
