"""The short form of ``volumes``."""

from __future__ import annotations

import posixpath
from typing import Any

_PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")
_SELINUX = ("z", "Z")
_CONSISTENCY = ("cached", "consistent", "delegated")
"""Meant something to an old Docker Desktop; compose and the engine ignore them."""


def parse_mount(spec: str) -> dict[str, Any]:
    """Return the long form of ``[source:]target[:options]``; raise ValueError.

    A source that starts with ``.``, ``/`` or ``~`` is a path and becomes a bind; any other names a volume.
    """
    if not spec:
        raise ValueError("an empty volume")
    if len(spec) <= 2:
        return {"type": "volume", "target": clean_target(spec)}
    parts = _split(spec)
    if not all(parts):
        raise ValueError(f"{spec!r} has an empty part between colons")
    if len(parts) > 3:
        raise ValueError(f"{spec!r} has too many colons")
    source = parts[0] if len(parts) > 1 else ""
    mount: dict[str, Any] = {}
    if len(parts) == 3:
        _apply_options(mount, parts[2])
    if _is_path(source):
        mount["type"] = "bind"
        mount.setdefault("bind", {})["create_host_path"] = True
    else:
        mount["type"] = "volume"
        mount.setdefault("volume", {})
    if source:
        mount["source"] = source
    mount["target"] = clean_target(parts[-1] if len(parts) < 3 else parts[1])
    return mount


def clean_target(target: str) -> str:
    """Return the path in the container without ``.``, ``..`` and doubled slashes."""
    if not target:
        return ""
    return (
        posixpath.normpath(target).replace("//", "/", 1)
        if target.startswith("//")
        else posixpath.normpath(target)
    )


def _split(spec: str) -> list[str]:
    """Split at colons, keeping the colon of a Windows drive."""
    parts: list[str] = [""]
    for char in spec:
        if char == ":" and not _is_drive(parts[-1]):
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _is_drive(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


def _is_path(source: str) -> bool:
    return source.startswith((".", "/", "~", "\\\\")) or (_is_drive(source[:1]) and source[1:2] == ":")


def _apply_options(mount: dict[str, Any], options: str) -> None:
    for option in options.split(","):
        if option in ("ro", "rw"):
            mount.pop("read_only", None)
            if option == "ro":
                mount["read_only"] = True
        elif option == "nocopy":
            mount["volume"] = {"nocopy": True}
        elif option in _PROPAGATIONS:
            mount.setdefault("bind", {})["propagation"] = option
        elif option in _SELINUX:
            mount.setdefault("bind", {})["selinux"] = option
        elif option not in _CONSISTENCY:
            raise ValueError(
                f"{option!r} is no mount option (ro, rw, nocopy, z, Z, {', '.join(_PROPAGATIONS)})"
            )
