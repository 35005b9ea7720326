"""The vocabulary in which the resolved model's keys are written down: their order, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcpctl.compose.faults import Path, TreeFault, dotted

Convert = Callable[[Any, Path], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One key: how its value is written, and when it is left out.

    ``keep`` writes zero values too (null never); ``always`` writes the key even when the file lacks it.
    """

    key: str
    convert: Convert
    keep: bool = False
    always: bool = False


def plain(convert: Callable[[Any], Any]) -> Convert:
    """Return a converter that names the key in its errors."""

    def at(value: Any, path: Path) -> Any:
        try:
            return convert(value)
        except ValueError as error:
            raise TreeFault(path, f"{dotted(path)}: {error}") from None

    return at


def record(fields: tuple[Field, ...]) -> Convert:
    """Return a converter for a mapping with known keys."""

    def at(value: Any, path: Path) -> dict[str, Any]:
        source: dict[str, Any] = value or {}
        written: dict[str, Any] = {}
        for field in fields:
            item = source.get(field.key)
            if item is None and not field.always:
                continue
            converted = field.convert(item, (*path, field.key))
            if field.keep or field.always or not is_zero(converted):
                written[field.key] = converted
        return written

    return at


def listed(convert: Convert) -> Convert:
    """Return a converter for a list."""

    def at(value: Any, path: Path) -> list[Any]:
        return [convert(item, (*path, index)) for index, item in enumerate(value)]

    return at


def mapped(convert: Convert) -> Convert:
    """Return a converter for a mapping with free keys, sorted; null values stay."""

    def at(value: Any, path: Path) -> dict[str, Any]:
        table: dict[str, Any] = value
        return {
            key: None if table[key] is None else convert(table[key], (*path, key)) for key in sorted(table)
        }

    return at


def is_zero(value: Any) -> bool:
    """Tell whether compose leaves such a value out."""
    return not value and value is not None
