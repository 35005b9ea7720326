"""The proxies that Docker's config.json has for containers and builds."""

from __future__ import annotations

import os
from typing import cast

from mcpctl.engine.docker_config import config_folder, read_config

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
    known = read_config(config_folder(os.environ)).get("proxies")
    proxies = cast("dict[str, dict[str, str]]", known if isinstance(known, dict) else {})
    chosen = proxies.get(engine_url) or proxies.get("default") or {}
    found = {name: chosen[key] for key, name in VARIABLES.items() if chosen.get(key)}
    return found | {name.upper(): value for name, value in found.items()}
