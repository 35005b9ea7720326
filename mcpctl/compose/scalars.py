"""What an unquoted YAML word means, by the rules of the YAML library that compose uses.

Source: YAML 1.2 core schema with the additions of go-yaml v3: ``_`` in numbers, ``0777`` is octal, and
``yes``, ``no``, ``on`` and ``off`` are text.
"""

from __future__ import annotations

import re

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
SPECIAL_FLOATS = {
    f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")
} | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))

_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]*)|([1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|\s+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:\s*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?\Z"
)
_BASES = {2: 16, 3: 8, 4: 2, 5: 8, 6: 10}
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Timestamp(str):
    """An unquoted date: YAML makes a time of it, which no compose key takes."""

    __slots__ = ()


Plain = str | int | float | bool | None


def resolve(word: str) -> Plain:
    """Return the value of an unquoted word."""
    if word in NULLS:
        return None
    if word in BOOLEANS:
        return BOOLEANS[word]
    if word[0] not in "0123456789+-.":
        return word
    if word in SPECIAL_FLOATS:
        return SPECIAL_FLOATS[word]
    if _TIMESTAMP.match(word):
        return Timestamp(word)
    number = _number(word.replace("_", ""))
    return word if number is None else number


def _number(word: str) -> int | float | None:
    if found := _INTEGER.match(word):
        value = _integer(found)
        if _SMALLEST <= value <= _LARGEST:
            return value
    return float(word) if _FLOAT.match(word) else None


def _integer(found: re.Match[str]) -> int:
    group = found.lastindex or 0
    digits = found.group(group) or "0"
    value = int(digits, _BASES[group])
    return -value if found.group(1) == "-" else value
