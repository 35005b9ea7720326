"""The project's ``.env``: made from the example, and changed one key at a time, never rewritten."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mcpctl.aws.settings import SANDBOX_HOST
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRIVATE = 0o600
SANDBOX_URL = f"http://{SANDBOX_HOST}:5000"
SANDBOX_PROFILE = "sandbox"


def ensure_env_file(directory: Path) -> bool:
    """Write ``.env`` from ``.env.example`` if there is none, readable by its owner alone; tell whether.

    Raises:
        ConfigError: there is no example to start from, or the folder cannot be written.
    """
    target, example = directory / ".env", directory / ".env.example"
    if target.exists():
        return False
    try:
        text = example.read_bytes()
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(
            f"cannot write {target}: {error.strerror} ({error.filename})",
            hint=f"create it by hand: touch {target} && chmod 600 {target}",
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return True


def set_values(directory: Path, values: Mapping[str, str | None]) -> None:
    """Set keys of ``.env``, or take them out where the value is None; other lines stay as they are."""
    from dotenv import set_key, unset_key
    from dotenv.main import dotenv_values

    path = directory / ".env"
    present = dotenv_values(path, interpolate=False)
    for key, value in values.items():
        if value is None and key in present:
            unset_key(path, key, quote_mode="never")
        elif value is not None and present.get(key) != value:
            set_key(path, key, value, quote_mode="auto")
    path.chmod(PRIVATE)


def sandbox_values(settings: Mapping[str, str], *, on: bool) -> dict[str, str | None]:
    """Return the keys of ``.env`` that switch the sandbox on or off; other profiles stay."""
    others = [
        name for name in settings.get("COMPOSE_PROFILES", "").split(",") if name and name != SANDBOX_PROFILE
    ]
    profiles = [*others, SANDBOX_PROFILE] if on else others
    return {
        "COMPOSE_PROFILES": ",".join(profiles) or None,
        "AWS_ENDPOINT_URL": SANDBOX_URL if on else None,
    }
