"""The vocabulary in which the key tables are written: what a value may look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = re.compile(r"[a-zA-Z0-9._-]+\Z")
"""Names of services, volumes, secrets and configs."""


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar of one of ``kinds``: str, int, float, bool, null."""

    kinds: frozenset[str]
    choices: tuple[str, ...] = ()
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Any
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with free keys."""

    value: Any
    key: re.Pattern[str] | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. ``required`` may be given by an earlier file."""

    fields: Mapping[str, Any]
    required: tuple[str, ...] = ()
    extensible: bool = True


@dataclass(frozen=True, slots=True)
class Either:
    """One of several shapes of different kinds."""

    options: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A key that compose knows and mcpctl does not, with the way round."""

    way_round: str


def words(*kinds: str) -> Word:
    """Return a scalar shape."""
    return Word(frozenset(kinds))


TEXT = words("str")
FLAG = words("bool", "str")
WHOLE = words("int", "str")
NUMBER = words("int", "float", "str")
AMOUNT = words("int", "str")
SCALAR = words("str", "int", "float", "bool", "null")
NULL = words("null")
TEXTS = Items(TEXT)
UNIQUE_TEXTS = Items(TEXT, unique=True)
TEXT_OR_TEXTS = Either((TEXT, UNIQUE_TEXTS))
PAIRS = Either((Table(SCALAR), UNIQUE_TEXTS))
OPTIONS = Table(words("str", "int", "float"))
HOSTS = Either((Table(Either((TEXT, TEXTS))), UNIQUE_TEXTS))
COMMAND = Either((NULL, TEXT, TEXTS))


def choice(*values: str) -> Word:
    """Return a text shape with a fixed set of values."""
    return Word(frozenset(("str",)), choices=values)
