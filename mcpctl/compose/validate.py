"""Check a tree against the key tables: unknown keys, unsupported keys, wrong types."""

from __future__ import annotations

import json
from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted, nearest
from mcpctl.compose.scalars import Timestamp
from mcpctl.compose.shapes import Either, Items, Record, Table, Unsupported, Word
from mcpctl.compose.trees import is_list, is_mapping

_KINDS: dict[type, str] = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}
_SPOKEN = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "list": "a list",
    "mapping": "a mapping",
}
_SPOKEN_ORDER = tuple(_SPOKEN)


def validate(tree: Any, shape: Any, *, whole: bool) -> None:
    """Raise TreeFault for the first value that does not fit.

    ``whole`` also checks what only a merged tree must satisfy: required keys and lists without doubles.
    """
    _Check(whole=whole).value(tree, shape, ())


class _Check:
    def __init__(self, *, whole: bool) -> None:
        self.whole = whole

    def value(self, value: Any, shape: Any, path: Path) -> None:
        match shape:
            case Word():
                self._word(value, shape, path)
            case Items():
                self._items(value, shape, path)
            case Table():
                self._table(value, shape, path)
            case Record():
                self._record(value, shape, path)
            case Either():
                self._either(value, shape, path)
            case Unsupported():
                key = str(path[-1])
                raise TreeFault(
                    path,
                    f"the key {key} is not supported",
                    hint=shape.way_round,
                    details={"unsupported": key},
                )
            case _:
                raise TypeError(f"no shape: {shape!r}")

    def _word(self, value: Any, shape: Word, path: Path) -> None:
        if kind_of(value) not in shape.kinds:
            raise _wrong_type(value, shape, path)
        if shape.choices and value not in shape.choices:
            raise TreeFault(path, f"{dotted(path)} is {value!r}, not one of {', '.join(shape.choices)}")
        if isinstance(value, int):
            low, high = shape.lowest, shape.highest
            if (low is not None and value < low) or (high is not None and value > high):
                raise TreeFault(path, f"{dotted(path)} is {value}, outside {low} to {high or 'any'}")

    def _items(self, value: Any, shape: Items, path: Path) -> None:
        if not is_list(value):
            raise _wrong_type(value, shape, path)
        seen: set[str] = set()
        items: list[Any] = value
        for index, item in enumerate(items):
            at = (*path, index)
            self.value(item, shape.item, at)
            if shape.unique and self.whole:
                form = json.dumps(item, sort_keys=True)
                if form in seen:
                    raise TreeFault(at, f"{dotted(path)} names {item!r} twice")
                seen.add(form)

    def _table(self, value: Any, shape: Table, path: Path) -> None:
        if not is_mapping(value):
            raise _wrong_type(value, shape, path)
        for key, item in value.items():
            at = (*path, key)
            if shape.key and not shape.key.match(key):
                if not shape.strict:
                    continue
                raise TreeFault(at, f"{key!r} is no valid name (letters, digits, '.', '_' and '-')")
            if shape.strict and not key:
                raise TreeFault(at, f"{dotted(path)} has an empty name")
            self.value(item, shape.value, at)

    def _record(self, value: Any, shape: Record, path: Path) -> None:
        if not is_mapping(value):
            raise _wrong_type(value, shape, path)
        for key, item in value.items():
            field = shape.fields.get(key)
            if field is not None:
                self.value(item, field, (*path, key))
            elif not (shape.extensible and key.startswith("x-")):
                raise _unknown(key, shape, (*path, key))
        missing = [key for key in shape.required if key not in value]
        if missing and self.whole:
            raise TreeFault(path, f"{dotted(path)} needs the key {missing[0]}")

    def _either(self, value: Any, shape: Either, path: Path) -> None:
        kind = kind_of(value)
        for option in shape.options:
            if kind in kinds_of(option):
                self.value(value, option, path)
                return
        raise _wrong_type(value, shape, path)


def kind_of(value: Any) -> str:
    """Return the name of a value's kind; an unquoted date has one of its own."""
    if is_mapping(value):
        return "mapping"
    if is_list(value):
        return "list"
    return "timestamp" if isinstance(value, Timestamp) else _KINDS[type(value)]


def kinds_of(shape: Any) -> frozenset[str]:
    """Return the kinds of value that a shape takes."""
    match shape:
        case Word():
            return shape.kinds
        case Items():
            return frozenset(("list",))
        case Either():
            return frozenset(kind for option in shape.options for kind in kinds_of(option))
        case _:
            return frozenset(("mapping",))


def _wrong_type(value: Any, shape: Any, path: Path) -> TreeFault:
    kind = kind_of(value)
    if kind == "timestamp":
        return TreeFault(
            path, f"{dotted(path)}: YAML reads {value} as a date", hint=f'put it in quotes: "{value}"'
        )
    wanted = " or ".join(_SPOKEN[name] for name in _SPOKEN_ORDER if name in kinds_of(shape))
    hint = (
        f'put it in quotes: "{_shown(value)}"'
        if "text" in wanted and kind in ("int", "float", "bool")
        else None
    )
    where = dotted(path) or "the file"
    return TreeFault(path, f"{where} must be {wanted}, not {_SPOKEN[kind]}", hint=hint)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(key: str, shape: Record, path: Path) -> TreeFault:
    near = nearest(key, shape.fields)
    where = f" in {dotted(path[:-1])}" if path[:-1] else ""
    meant = f"; did you mean {near}?" if near else ""
    hint = f"write {near} instead of {key}" if near else f"remove it, or name it x-{key}"
    return TreeFault(
        path, f"unknown key {key}{where}{meant}", hint=hint, details={"unknown": key, "nearest": near}
    )
