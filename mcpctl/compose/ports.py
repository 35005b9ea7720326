"""The short form of ``ports``.

Source: the compose specification; ranges and addresses as docker's own port parser takes them.
"""

from __future__ import annotations

import ipaddress
from typing import Any

_HIGHEST = 65535
_PROTOCOLS = ("tcp", "udp", "sctp")


def parse_port(spec: str) -> list[dict[str, Any]]:
    """Return the long forms of ``[[ip:]published:]target[/protocol]``, one for each port of a range.

    Raise ValueError.
    """
    address, published, container = _split(spec)
    target, _, protocol = container.partition("/")
    protocol = (protocol or "tcp").lower()
    if not target:
        raise ValueError(f"{spec!r} has no container port")
    if protocol not in _PROTOCOLS:
        raise ValueError(f"{spec!r}: the protocol is {', '.join(_PROTOCOLS[:-1])} or {_PROTOCOLS[-1]}")
    address = _address(address, spec)
    first, last = _range(target, spec)
    if first == 0:
        raise ValueError(f"{spec!r}: a container has no port 0")
    host = _range(published, spec) if published else None
    if host and last - first not in (0, host[1] - host[0]):
        raise ValueError(f"{spec!r}: the ranges {published} and {target} differ in length")
    ports = [
        _long(port, address, _published(port - first, last - first + 1, host), protocol)
        for port in range(first, last + 1)
    ]
    return sorted(ports, key=lambda port: f"{port['target']}/{protocol}")


def _long(target: int, address: str, published: str, protocol: str) -> dict[str, Any]:
    port: dict[str, Any] = {"mode": "ingress", "target": target, "protocol": protocol}
    if published:
        port["published"] = published
    if address:
        port["host_ip"] = address
    return port


def _split(spec: str) -> tuple[str, str, str]:
    parts = spec.split(":")
    address = ":".join(parts[:-2])
    return address, parts[-2] if len(parts) > 1 else "", parts[-1]


def _published(offset: int, count: int, host: tuple[int, int] | None) -> str:
    if host is None:
        return ""
    if count == 1 and host[0] != host[1]:
        return f"{host[0]}-{host[1]}"
    return str(host[0] + offset)


def _address(text: str, spec: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in text and bare == text:
        raise ValueError(f"{spec!r}: write an IPv6 address in brackets: [{text}]")
    try:
        if bare:
            ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        raise ValueError(f"{spec!r}: {text} is no IP address") from None
    return bare


def _range(text: str, spec: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    start, end = _port(first, spec), _port(last, spec) if dash else _port(first, spec)
    if end < start:
        raise ValueError(f"{spec!r}: the range {text} runs backwards")
    return start, end


def _port(text: str, spec: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= _HIGHEST:
        return int(text)
    raise ValueError(f"{spec!r}: {text!r} is no port (0 to {_HIGHEST})")
