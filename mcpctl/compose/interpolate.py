"""``$NAME`` and ``${NAME…}`` in values.

Source: the compose specification, chapter Interpolation, and the behaviour of docker compose where the
chapter is silent: the operator that occurs first wins, and defaults and messages are interpolated too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Lookup = Callable[[str], "str | None"]

_NAME = r"[_a-z][_a-z0-9]*"
_VARIABLE = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|\{{(?:(?P<braced>{_NAME}(?::?[-+?](?:.*))?)\}}|(?P<invalid>)))",
    re.IGNORECASE,
)
_OPERATORS = (":?", "?", ":-", "-", ":+", "+")


class InvalidTemplate(ValueError):
    """The text has a ``${`` that does not start a variable."""

    def __init__(self, template: str) -> None:
        super().__init__(f"invalid interpolation format: {template!r}")
        self.template = template


class MissingVariable(ValueError):
    """A variable that the text requires is not set."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(
            f"required variable {variable} is missing a value" + (f": {reason}" if reason else "")
        )
        self.variable = variable
        self.reason = reason


def interpolate(text: str, lookup: Lookup, unset: Callable[[str], None] | None = None) -> str:
    """Replace the variables in ``text``; raise InvalidTemplate or MissingVariable.

    ``unset`` is told every variable that became the empty string because nothing sets it.
    """
    if "$" not in text:
        return text
    return _Substitution(lookup, unset).apply(text)


class _Substitution:
    def __init__(self, lookup: Lookup, unset: Callable[[str], None] | None) -> None:
        self.lookup = lookup
        self.unset = unset

    def apply(self, text: str) -> str:
        return _VARIABLE.sub(lambda found: self.replacement(found.group(), text), text)

    def replacement(self, found: str, template: str) -> str:
        if found == "$$":
            return "$"
        head, rest = _split_at_brace(found)
        parts = _VARIABLE.match(head)
        if parts is None or not (parts["named"] or parts["braced"]):
            raise InvalidTemplate(template)
        if parts["named"]:
            return self.value(parts["named"])
        operator = _first_operator(found)
        name, separator, argument = parts["braced"].partition(operator)
        if not separator:
            return self.value(name)
        return self.operate(name, operator, self.apply(argument)) + self.apply(rest)

    def value(self, name: str) -> str:
        value = self.lookup(name)
        if value is None and self.unset:
            self.unset(name)
        return value or ""

    def operate(self, name: str, operator: str, argument: str) -> str:
        value = self.lookup(name)
        present = bool(value) if operator.startswith(":") else value is not None
        match operator[-1]:
            case "-":
                return (value or "") if present else argument
            case "+":
                return argument if present else value or ""
            case _:
                if not present:
                    raise MissingVariable(name, argument)
                return value or ""


def _first_operator(text: str) -> str:
    found = [(at, operator) for operator in _OPERATORS if (at := text.find(operator)) >= 0]
    return min(found, key=lambda pair: pair[0])[1] if found else _OPERATORS[0]


def _split_at_brace(text: str) -> tuple[str, str]:
    """Split after the brace that closes the first one; the match itself runs to the last on the line."""
    depth = 0
    at = 0
    while at < len(text):
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return text[: at + 1], text[at + 1 :]
        if text[at] == "{":
            depth += 1
            at += 1
        at += 1
    return text, ""
