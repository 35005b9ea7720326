"""The config hashes by which docker compose tells that an object is out of date.

Source: docker compose 2.26.1 (services) and 2.31 to 5 (networks and volumes): the SHA-256 of the object's
JSON as Go writes it, keys in the order of compose's structures.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from mcpctl.compose.trees import is_list, is_mapping
from mcpctl.compose.units import digits_of, plain_float, scientific

if TYPE_CHECKING:
    from collections.abc import Mapping

_IGNORED = ("build", "pull_policy", "scale")
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_SCIENTIFIC_FROM, _SCIENTIFIC_BELOW = 21, -6


def service_hash(service: Mapping[str, Any]) -> str:
    """Return the hash of a service in the form of the resolved model."""
    kept = {key: value for key, value in service.items() if key not in _IGNORED}
    if is_mapping(kept.get("deploy")):
        deploy: dict[str, Any] = kept["deploy"]
        kept["deploy"] = {key: value for key, value in deploy.items() if key != "replicas"}
    return _digest(kept)


def network_hash(network: Mapping[str, Any]) -> str:
    """Return the hash of a network in the resolved model's form, ``""`` where releases disagree on it."""
    return "" if "options" in network["ipam"] else _digest(network)


def volume_hash(volume: Mapping[str, Any]) -> str:
    """Return the hash of a volume in the form of the resolved model."""
    ordered = {"name": volume.get("name"), "driver": volume.get("driver") or "local"}
    return _digest(ordered | {key: value for key, value in volume.items() if key not in ordered})


def _digest(value: Any) -> str:
    return hashlib.sha256(go_json(value).encode()).hexdigest()


def go_json(value: Any) -> str:
    """Return a value as Go's ``json.Marshal`` writes it."""
    if is_mapping(value):
        return "{" + ",".join(f"{_quoted(key)}:{go_json(item)}" for key, item in value.items()) + "}"
    if is_list(value):
        return "[" + ",".join(map(go_json, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    for char, escape in _ESCAPED.items():
        if char in quoted:
            quoted = quoted.replace(char, escape)
    return quoted


def _number(value: float) -> str:
    sign, digits, exponent = digits_of(value)
    if _SCIENTIFIC_BELOW <= exponent < _SCIENTIFIC_FROM:
        return plain_float(sign, digits, exponent)
    return scientific(sign, digits, exponent, width=1)
