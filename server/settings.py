"""What the service reads from its environment, checked once, at the start.

A variable that is set to nothing counts as unset. Every problem is collected before the service refuses to
start, so one run shows them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

T = TypeVar("T")

#: The variables that the service reads itself. Those of AWS are read by botocore.
VARIABLES: Final = (
    "MCP_LOG_LEVEL",
    "MCP_LOG_FORMAT",
    "MCP_AUTH_TOKEN",
    "MCP_ALLOWED_HOSTS",
    "MCP_CORS_ORIGINS",
    "MCP_RATE_LIMIT",
    "MCP_MAX_BODY_BYTES",
    "MCP_TOOL_TIMEOUT_SECONDS",
    "MCP_TOOLS_ALLOW",
    "MCP_TOOLS_DENY",
    "MCP_AWS_READ_ONLY",
    "MCP_AWS_ALLOWED_PROFILES",
    "MCP_AWS_SECRET_ID",
    "MCP_AUDIT_RETENTION_DAYS",
    "MCP_DRAIN_SECONDS",
)
#: Variables of the contract that a later version will read; setting them now must not pass unnoticed.
RESERVED: Final = ("MCP_AWS_SECRET_ID", "MCP_AUDIT_RETENTION_DAYS")
#: Variables that the compose file reads. They may stand in the environment of a service without Docker too.
STACK: Final = (
    "MCP_BIND_ADDRESS",
    "MCP_BACKEND_PORT",
    "MCP_FRONTEND_PORT",
    "MCP_BASE_IMAGE",
    "MCP_BACKEND_MEMORY",
    "MCP_BACKEND_CPUS",
)
#: Names under which the service always answers: the loopback, and its name on the stack's network.
OWN_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]", "backend")
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
_RATE: Final = re.compile(r"(\d+)/(second|minute|hour)")
_SHORTEST_TOKEN: Final = 16


class Secret:
    """Hold a value that must not be printed: every way of showing it gives ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many calls one caller may make within a window of ``seconds``."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked settings; the defaults here are those of ``.env.example``."""

    log_level: str = "INFO"
    log_format: str = "json"
    auth_token: Secret | None = None
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    rate_limit: Rate | None = None
    max_body_bytes: int = 1_048_576
    tool_timeout_seconds: float = 30.0
    tools_allow: tuple[str, ...] = ("*",)
    tools_deny: tuple[str, ...] = ()
    aws_read_only: bool = True
    aws_allowed_profiles: tuple[str, ...] = ("*",)
    drain_seconds: float = 25.0
    aws_endpoint_url: str | None = None
    ignored: tuple[str, ...] = field(default=(), compare=False)


class SettingsError(Exception):
    """The environment does not make a working service; ``problems`` holds one line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Reader:
    """Read variables one by one and keep what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def parsed(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        text = self.text(name)
        if text is None:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def names(self, name: str, default: tuple[str, ...], check: Callable[[str], str]) -> tuple[str, ...]:
        def parse(text: str) -> tuple[str, ...]:
            return tuple(check(part.strip()) for part in text.split(",") if part.strip())

        return self.parsed(name, default, parse)


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings from ``environ``.

    Raises:
        SettingsError: when any variable has a value that cannot be used.
    """
    reader = _Reader(environ)
    default = Settings()
    settings = Settings(
        log_level=reader.parsed("MCP_LOG_LEVEL", default.log_level, _one_of(*_LEVELS, upper=True)),
        log_format=reader.parsed("MCP_LOG_FORMAT", default.log_format, _one_of("json", "text")),
        auth_token=reader.parsed("MCP_AUTH_TOKEN", None, _token),
        allowed_hosts=reader.names("MCP_ALLOWED_HOSTS", (), _host),
        cors_origins=reader.names("MCP_CORS_ORIGINS", (), _origin),
        rate_limit=reader.parsed("MCP_RATE_LIMIT", None, _rate),
        max_body_bytes=reader.parsed(
            "MCP_MAX_BODY_BYTES", default.max_body_bytes, _whole(1024, 64 * 1024 * 1024)
        ),
        tool_timeout_seconds=reader.parsed(
            "MCP_TOOL_TIMEOUT_SECONDS", default.tool_timeout_seconds, _seconds(0.1, 3600)
        ),
        tools_allow=reader.names("MCP_TOOLS_ALLOW", default.tools_allow, str),
        tools_deny=reader.names("MCP_TOOLS_DENY", (), str),
        aws_read_only=reader.parsed("MCP_AWS_READ_ONLY", default.aws_read_only, _yes_or_no),
        aws_allowed_profiles=reader.names("MCP_AWS_ALLOWED_PROFILES", default.aws_allowed_profiles, str),
        drain_seconds=reader.parsed("MCP_DRAIN_SECONDS", default.drain_seconds, _seconds(0, 3600)),
        aws_endpoint_url=reader.parsed("AWS_ENDPOINT_URL", None, _endpoint),
        ignored=_ignored(environ),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def drop_empty(environ: MutableMapping[str, str]) -> None:
    """Remove empty ``AWS_*`` and ``MCP_*`` variables: to botocore ``AWS_PROFILE=`` is a profile's name."""
    for name in [n for n, value in environ.items() if n.startswith(("AWS_", "MCP_")) and not value.strip()]:
        del environ[name]


def _ignored(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is set and not read: variables for later, and names that look like ours but are none."""
    known = {*VARIABLES, *STACK} - {*RESERVED}
    found = (name for name, value in environ.items() if name.startswith("MCP_") and value.strip())
    return tuple(sorted(name for name in found if name not in known))


def _one_of(*choices: str, upper: bool = False) -> Callable[[str], str]:
    def parse(text: str) -> str:
        value = text.upper() if upper else text.lower()
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return value

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}, not {text!r}")
        return value

    return parse


def _yes_or_no(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"must be true or false, not {text!r}")


def _token(text: str) -> Secret:
    if len(text) < _SHORTEST_TOKEN:
        raise ValueError(f"must have at least {_SHORTEST_TOKEN} characters, try: openssl rand -hex 32")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without spaces, try: openssl rand -hex 32")
    return Secret(text)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise ValueError(
            f"must be host names such as mcp.example.com, *.example.com or host:8000, not {text!r}"
        )
    return text.lower()


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        raise ValueError(f"must be origins such as https://console.example.com, not {text!r}")
    return text.lower()


def _rate(text: str) -> Rate:
    match = _RATE.fullmatch(text.lower())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"must be calls per second, minute or hour such as 120/minute, not {text!r}")
    return Rate(int(match[1]), {"second": 1, "minute": 60, "hour": 3600}[match[2]])


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"must be a URL such as http://aws-sandbox:5000, not {text!r}")
    return text
