"""The resolved model as JSON or YAML, and without its secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mcpctl.compose.trees import is_list, is_mapping, table_at

if TYPE_CHECKING:
    from collections.abc import Mapping

MASK = "***"

_SECRET_NAME = re.compile(
    r"KEY|SECRET|TOKEN|PASSW(OR)?D|PASSPHRASE|PASS\Z|PWD\Z|CREDENTIAL|AUTH|PRIVATE|SALT|DSN|COOKIE|CONNECTION_STRING",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(r"(_ID|_FILE|_PATH|_NAME|_URL|_TTL|_TIMEOUT\w*|_SECONDS)\Z", re.IGNORECASE)
_ACCESS_KEY_ID = re.compile(r"ACCESS_KEY_ID\Z", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")
_PAIR_TABLES = ("environment", "args", "labels", "annotations", "options", "driver_opts")


def looks_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret, as far as a name can tell."""
    if not _SECRET_NAME.search(name):
        return False
    return bool(_ACCESS_KEY_ID.search(name)) or not _NOT_SECRET.search(name)


def mask_value(name: str, value: str) -> str:
    """Return ``value`` as it may be shown: masked by its name, or without the password of a URL."""
    if value and looks_secret(name):
        return MASK
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", value)


def mask_secrets(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the resolved model with secret-looking values masked."""
    masked = {key: _masked(value, key) for key, value in model.items()}
    for section in ("secrets", "configs"):
        for key in table_at(masked, section):
            if "content" in masked[section][key]:
                masked[section][key]["content"] = MASK
    return masked


def mask_urls(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of any document without the passwords of the URLs in its texts."""
    return {key: _masked(value, key) for key, value in document.items()}


def _masked(value: Any, holder: str) -> Any:
    if is_mapping(value):
        return {key: _entry(key, item, holder) for key, item in value.items()}
    if is_list(value):
        return [_masked(item, holder) for item in value]
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", value) if isinstance(value, str) else value


def _entry(key: str, value: Any, holder: str) -> Any:
    if holder in _PAIR_TABLES and isinstance(value, str):
        return mask_value(key, value)
    return _masked(value, key)


def document(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model as ``docker compose config`` prints it, a project file again: every ``$`` doubled."""
    return _escaped(dict(model))


def _escaped(value: Any) -> Any:
    if is_mapping(value):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if is_list(value):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def to_yaml(model: Mapping[str, Any]) -> str:
    """Return the model as the text of a project file."""
    import yaml

    return yaml.safe_dump(_without_nulls(document(model)), sort_keys=False, allow_unicode=True, width=110)


def _without_nulls(model: dict[str, Any]) -> dict[str, Any]:
    """Leave out the null command and entrypoint that the JSON form always has."""
    services = table_at(model, "services")
    kept = {
        name: {
            key: value
            for key, value in service.items()
            if value is not None or key not in ("command", "entrypoint")
        }
        for name, service in services.items()
    }
    return model | {"services": kept}
