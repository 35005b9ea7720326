"""The values that YAML and JSON are made of, for the type checker."""

from __future__ import annotations

from typing import Any, TypeGuard

Tree = dict[str, Any]
"""A mapping whose values are plain: text, numbers, truth values, null, lists and mappings."""


def is_mapping(value: object) -> TypeGuard[Tree]:
    """Tell whether a value is a mapping; its keys are text by construction."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a list."""
    return isinstance(value, list)


def table_at(holder: Tree, *keys: str) -> Tree:
    """Return the mapping under a path of keys, an empty one where any key is missing or null."""
    found: Any = holder
    for key in keys:
        found = found.get(key) or {}
    return found


def list_at(holder: Tree, key: str) -> list[Any]:
    """Return the list under a key, an empty one where the key is missing or null."""
    return holder.get(key) or []
