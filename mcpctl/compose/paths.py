"""Relative paths and ``~`` to absolute paths."""

from __future__ import annotations

import os.path
from pathlib import Path as FilePath
from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted
from mcpctl.compose.patterns import Patterns
from mcpctl.compose.trees import is_list, is_mapping

_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")


def absolute_paths(tree: Any, directory: str, home: str | None) -> None:
    """Make the paths of ``tree`` absolute in place; raise TreeFault for a bind without a source."""
    _Resolver(directory, home).walk(tree, _PATHS, ())


class _Resolver:
    def __init__(self, directory: str, home: str | None) -> None:
        self.directory = directory
        self.home = home

    def walk(self, value: Any, rules: Patterns[Any] | None, path: Path) -> Any:
        if rules is None or value is None:
            return value
        if rules.found:
            return rules.found(self, value, path)
        if is_mapping(value):
            for key, item in value.items():
                value[key] = self.walk(item, rules.step(key), (*path, key))
        elif is_list(value):
            value[:] = [
                self.walk(item, rules.step(index), (*path, index)) for index, item in enumerate(value)
            ]
        return value

    def expand(self, text: str) -> str:
        if text.startswith("~") and self.home:
            return os.path.normpath(self.home + "/" + text[1:])
        return text

    def local(self, text: Any, _path: Path) -> Any:
        expanded = self.expand(text)
        if not expanded or expanded.startswith("/"):
            return expanded
        return os.path.normpath(os.path.join(self.directory, expanded))  # noqa: PTH118 - text in, text out

    def unix_or_windows(self, text: Any, path: Path) -> Any:
        if not isinstance(text, str) or _is_windows(text):
            return text
        return self.local(text, path) or self.directory

    def context(self, text: Any, path: Path) -> Any:
        if "://" in text or text.startswith(("service:", *_REMOTE)):
            return text
        return self.local(text, path)

    def linked(self, text: Any, path: Path) -> Any:
        """Resolve the first symbolic link on the way, as compose does for watched paths."""
        absolute = self.local(text, path)
        for folder in (*reversed(FilePath(absolute).parents), FilePath(absolute)):
            if folder.is_symlink():
                return absolute.replace(str(folder), str(folder.resolve()), 1)
        return absolute

    def mount(self, mount: Any, path: Path) -> Any:
        if mount.get("type") == "bind":
            if not mount.get("source"):
                raise TreeFault(path, f"{dotted(path)}: a bind needs the key source")
            mount["source"] = self.unix_or_windows(mount["source"], path)
        return mount

    def volume(self, volume: Any, path: Path) -> Any:
        options = volume.get("driver_opts")
        if volume.get("driver") == "local" and options and options.get("o") == "bind" and "device" in options:
            options["device"] = self.unix_or_windows(options["device"], path)
        return volume


def _is_windows(text: str) -> bool:
    return text[:1].isalpha() and text[1:2] == ":" and text[2:3] in ("\\", "/")


_PATHS: Patterns[Any] = Patterns(
    {
        "services.*.build.context": _Resolver.context,
        "services.*.build.additional_contexts.*": _Resolver.context,
        "services.*.env_file.*.path": _Resolver.local,
        "services.*.label_file.*": _Resolver.local,
        "services.*.develop.watch.*.path": _Resolver.linked,
        "services.*.volumes.*": _Resolver.mount,
        "configs.*.file": _Resolver.unix_or_windows,
        "secrets.*.file": _Resolver.unix_or_windows,
        "volumes.*": _Resolver.volume,
    }
)
