"""The proxies that Docker's config.json has for containers and builds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

from mcpctl.errors import ConfigError

VARIABLES = {
    "httpProxy": "http_proxy",
    "httpsProxy": "https_proxy",
    "ftpProxy": "ftp_proxy",
    "noProxy": "no_proxy",
    "allProxy": "all_proxy",
}


def configured(engine_url: str) -> dict[str, str]:
    """Return the proxies for an engine, else the default ones, as variables in both spellings.

    Source: Docker CLI reference, 'Configure the Docker CLI to use a proxy server'.
    """
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        config: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}", hint="mend the file, or set DOCKER_CONFIG"
        ) from error
    known = cast("dict[str, dict[str, dict[str, str]]]", config if isinstance(config, dict) else {})
    proxies = known.get("proxies") or {}
    chosen = proxies.get(engine_url) or proxies.get("default") or {}
    found = {name: chosen[key] for key, name in VARIABLES.items() if chosen.get(key)}
    return found | {name.upper(): value for name, value in found.items()}
