"""The AWS settings in effect: the caller's merged variables, cleaned of the traps that botocore steps into.

An empty variable counts as unset: ``AWS_PROFILE=`` in an env file breaks botocore's chain.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

DEFAULT_REGION = "us-east-1"
SANDBOX_KEY = "sandbox"
SANDBOX_HOST = "aws-sandbox"
"""The compose service that pretends to be AWS; only the stack's own network knows the name."""
SANDBOX_ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every ``AWS_*`` variable in effect, and the two files that botocore reads."""

    variables: Mapping[str, str]
    config_file: Path
    credentials_file: Path
    home: Path

    @property
    def profile(self) -> str | None:
        """Give the profile that the variables name, if any; botocore reads both, the older one first."""
        return self.variables.get("AWS_DEFAULT_PROFILE") or self.variables.get("AWS_PROFILE")

    @property
    def sandbox_keys(self) -> bool:
        """Tell whether the access key in the variables is the sandbox's fixed one."""
        return self.variables.get("AWS_ACCESS_KEY_ID") == SANDBOX_KEY


def sandbox_is_on(environment: Mapping[str, str]) -> bool:
    """Tell whether AWS calls with these variables go to the stack's own sandbox."""
    return urlsplit(environment.get("AWS_ENDPOINT_URL") or "").hostname == SANDBOX_HOST


def effective(environment: Mapping[str, str], home: Path | None = None) -> Settings:
    """Work out the settings from one merged mapping; ``home`` is where ``~`` leads."""
    home = home or Path(environment.get("HOME") or Path.home())
    variables = {
        name: value for name, value in environment.items() if name.startswith("AWS_") and value.strip()
    }
    folder = _expanded(variables.pop("AWS_CONFIG_DIR", "~/.aws"), home)
    config = _expanded(variables.get("AWS_CONFIG_FILE", str(folder / "config")), home)
    credentials = _expanded(variables.get("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials")), home)
    # Other SDKs read AWS_REGION; botocore only knows the longer name.
    if "AWS_REGION" in variables:
        variables.setdefault("AWS_DEFAULT_REGION", variables["AWS_REGION"])
    variables |= {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    return Settings(variables, config, credentials, home)


@contextlib.contextmanager
def applied(settings: Settings) -> Generator[None]:
    """Make the process environment hold these AWS variables and no others, then put back what was there.

    botocore reads ``os.environ`` in many places; so this is for one thread at a time.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    _replace(settings.variables)
    try:
        yield
    finally:
        _replace(before)


def _replace(variables: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") and name not in variables]:
        del os.environ[name]
    os.environ.update(variables)


def _expanded(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else Path(path)
