"""What is mounted into a container, one text for each path in it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_ANONYMOUS = re.compile(r"[0-9a-f]{64}\Z")
_SECRETS = "/run/secrets/"


def mount_facts(host: Mapping[str, Any], keys: Mapping[str, str], files: Mapping[str, str]) -> dict[str, str]:
    """Return each mount under ``volumes``, ``tmpfs``, ``secrets`` or ``configs``, with the path in the name.

    ``keys`` leads from a volume's name to its key in the file, ``files`` from a path to ``configs``.
    """
    found: dict[str, str] = {}
    for text in cast("list[str]", host.get("Binds") or []):
        source, target, options = text.rsplit(":", 2)
        told = [option for option in options.split(",") if option != "rw"]
        found[f"volumes.{target}"] = _described(source, told)
    for mount in cast("list[Json]", host.get("Mounts") or []):
        target = str(mount["Target"])
        kind = "secrets" if target.startswith(_SECRETS) else files.get(target, "volumes")
        found[f"{kind}.{target}"] = _mount(mount, keys)
    for path, options in cast("dict[str, str]", host.get("Tmpfs") or {}).items():
        found[f"tmpfs.{path}"] = options or "mounted"
    return found


def _mount(mount: Json, keys: Mapping[str, str]) -> str:
    source = str(mount.get("Source") or "")
    if mount["Type"] == "volume":
        source = "(anonymous)" if not source or _ANONYMOUS.match(source) else keys.get(source, source)
    elif not source:
        source = f"({mount['Type']})"
    return _described(source, _options(mount))


def _options(mount: Json) -> list[str]:
    volume = cast("Json", mount.get("VolumeOptions") or {})
    bind = cast("Json", mount.get("BindOptions") or {})
    tmpfs = cast("Json", mount.get("TmpfsOptions") or {})
    texts = {
        "ro": mount.get("ReadOnly"),
        "nocopy": volume.get("NoCopy"),
        f"subpath={volume.get('Subpath')}": volume.get("Subpath"),
        str(bind.get("Propagation")): bind.get("Propagation"),
        f"consistency={mount.get('Consistency')}": mount.get("Consistency") not in {None, "", "default"},
        f"size={tmpfs.get('SizeBytes')}": tmpfs.get("SizeBytes"),
        f"mode={tmpfs.get('Mode') or 0:o}": tmpfs.get("Mode"),
    }
    return [text for text, there in texts.items() if there]


def _described(source: str, options: list[str]) -> str:
    return f"{source} ({', '.join(options)})" if options else source
