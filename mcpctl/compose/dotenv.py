"""Compose's own dialect of ``.env`` files.

Source: the reader of docker compose: ``KEY=value``, ``KEY: value``, ``export KEY=value``; a bare ``KEY`` is
taken from the environment; single quotes are literal; double quotes know escapes; ``$`` works as in a
project file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mcpctl.compose.faults import Position, TreeFault, config_error
from mcpctl.compose.interpolate import InvalidTemplate, MissingVariable, interpolate

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.interpolate import Lookup

_BLANK = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(r"export\s+")
_ESCAPE = re.compile(r"\\([abcfnrtv$\"\\]|0\d{0,3})", re.ASCII)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_BYTE_LIMIT = 256


def parse(
    text: str, lookup: Lookup, source: str, unset: Callable[[str], None] | None = None
) -> dict[str, str]:
    """Return the variables of an env file; raise ConfigError with file and line.

    ``lookup`` wins over earlier lines of the same file, as in compose. ``unset`` is told every variable that
    became the empty string because nothing sets it.
    """
    reader = _Reader(text.removeprefix("\ufeff"), lookup, unset)
    try:
        return reader.read()
    except (_Fault, InvalidTemplate, MissingVariable) as error:
        line = text.count("\n", 0, reader.start) + 1
        raise _error(error, Position(source, line, 1)) from None


class _Fault(ValueError):
    """A line that is no assignment."""


def _error(error: ValueError, position: Position) -> Exception:
    details = {"variable": error.variable} if isinstance(error, MissingVariable) else {}
    hint = "write KEY=value, one a line; put values with quotes or # in single quotes"
    return config_error(TreeFault((), str(error), hint=hint, details=details), position)


class _Reader:
    def __init__(self, text: str, lookup: Lookup, unset: Callable[[str], None] | None) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.unset = unset
        self.outer = lookup
        self.found: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        while self._next_statement():
            key, inherited = self._key()
            if " " in key:
                raise _Fault(f"the name {key!r} has a space in it")
            if inherited:
                value = self.outer(key)
                if value is not None:
                    self.found[key] = value
            else:
                self.found[key] = self._value()
        return self.found

    def _lookup(self, name: str) -> str | None:
        value = self.outer(name)
        return self.found.get(name) if value is None else value

    def _next_statement(self) -> bool:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                self.at = self._line_end()
            elif _is_space(char):
                self.at += 1
            else:
                self.start = self.at
                return True
        return False

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANK:
            self.at += 1

    def _key(self) -> tuple[str, bool]:
        """Read a name and its ``=`` or ``:``; tell whether the line ends without one."""
        if _EXPORT.match(self.text, self.at):
            self.at += len("export")
            self._skip_blanks()
        start = self.at
        for end in range(start, len(self.text)):
            char = self.text[end]
            if char in "=:\n":
                self.at = end + 1
                self._skip_blanks()
                return self.text[start:end].rstrip(), char == "\n"
            if not (char in _BLANK or char in "_.-[]" or char.isalpha() or char.isnumeric()):
                line = self.text[start : self._line_end()]
                raise _Fault(f"unexpected character {char!r} in the name of a variable: {_shown(line)}")
        self.at = len(self.text)
        return self.text[start:].rstrip(), True

    def _value(self) -> str:
        quote = self.text[self.at : self.at + 1]
        if quote and quote in "\"'":
            return self._quoted(quote)
        start, end = self.at, self._line_end()
        self.at = min(end + 1, len(self.text))
        value = self.text[start:end].partition(" #")[0].rstrip()
        return interpolate(value, self._lookup, self.unset)

    def _quoted(self, quote: str) -> str:
        value = ""
        escaped = False
        for at in range(self.at + 1, len(self.text)):
            char = self.text[at]
            if char == quote and not escaped:
                self.at = at + 1
                return self._expanded(value) if quote == '"' else value
            if char == "\\" and not escaped:
                escaped = True
                continue
            value += "\\" + char if escaped and char != quote else char
            escaped = False
        raise _Fault("a quoted value does not end")

    def _expanded(self, value: str) -> str:
        return interpolate(_ESCAPE.sub(_unescape, value), self._lookup, self.unset)


def _is_space(char: str) -> bool:
    # Python counts the four separators U+001C to U+001F as space; the reader that compose uses does not.
    return char.isspace() and not "\x1c" <= char <= "\x1f"


def _shown(line: str) -> str:
    """Cut a line so that a value, which may be a secret, is never shown."""
    return repr(re.split(r"[=:]", line, maxsplit=1)[0])


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code == "$":
        return "$$"
    if code[0] == "0":
        # Three octal digits after the 0 make a byte; compose drops the 0 from anything else.
        octal = code[1:]
        if len(octal) == 3 and not set(octal) & set("89") and int(octal, 8) < _BYTE_LIMIT:
            return chr(int(octal, 8))
        return "\\" + octal
    return _ESCAPES.get(code, found[0])
