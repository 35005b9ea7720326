"""Docker's rules for ``.dockerignore``: case matters, ``**`` spans folders, the last matching pattern wins.

Source of the rules: the Dockerfile reference, section '.dockerignore files', and where it is silent what
BuildKit does. The SDK's own matcher folds case and does not read ``<Dockerfile>.dockerignore``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Trail = tuple[bool, ...]
"""Which patterns matched a path or one of the folders above it."""

_WILDCARDS = frozenset("*?[\\")


class BadPattern(ValueError):
    """A line of an ignore file is no pattern."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file; ``negated`` brings back what an earlier line left out."""

    regex: re.Pattern[str]
    negated: bool
    literal_prefix: str


class Ignore:
    """A compiled ``.dockerignore``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._patterns = tuple(_compile(line) for line in _lines(text))

    def decide(self, path: str, above: Trail) -> tuple[bool, Trail]:
        """Decide on a path from what matched the folder above it; return the verdict and its own trail.

        A pattern that could not change the verdict is not tried, and then counts as no match for what lies
        below: both of Docker's builders do so.
        """
        excluded = False
        trail = [False] * len(self._patterns)
        for index, pattern in enumerate(self._patterns):
            matched = bool(above) and above[index]
            if not matched:
                if pattern.negated != excluded:
                    continue
                matched = pattern.regex.fullmatch(path) is not None
            trail[index] = matched
            if matched:
                excluded = not pattern.negated
        return excluded, tuple(trail)

    def may_return(self, directory: str) -> bool:
        """Tell whether an exception could bring back something below an excluded directory."""
        return any(
            pattern.negated and _may_match_below(pattern.literal_prefix, directory)
            for pattern in self._patterns
        )


def _lines(text: str) -> list[str]:
    lines = text.removeprefix("\ufeff").split("\n")
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _compile(line: str) -> Pattern:
    negated = line.startswith("!")
    body = line[1:].strip() if negated else line
    if not body:
        raise BadPattern(f"{line!r} excepts nothing")
    clean = posixpath.normpath(body)
    clean = clean.lstrip("/") or "/"
    try:
        regex = re.compile(_translate(clean), re.DOTALL)
    except re.error as error:
        raise BadPattern(f"{line!r}: {error}") from None
    return Pattern(regex, negated, _literal_prefix(clean))


def _literal_prefix(pattern: str) -> str:
    """Return the leading folders of a pattern that hold no wildcard."""
    kept: list[str] = []
    for part in pattern.split("/"):
        if not _WILDCARDS.isdisjoint(part):
            break
        kept.append(part)
    return "/".join(kept)


def _may_match_below(prefix: str, directory: str) -> bool:
    return f"{prefix}/".startswith(f"{directory}/") or f"{directory}/".startswith(f"{prefix}/") or not prefix


def _translate(pattern: str) -> str:
    """Turn one pattern into a regular expression over the whole path."""
    if pattern.startswith("**") and not _has_wildcard(pattern[2:]):
        return _translate_suffix(pattern[2:])
    result: list[str] = []
    at = 0
    while at < len(pattern):
        piece, at = _translate_one(pattern, at)
        result.append(piece)
    return "".join(result)


def _has_wildcard(text: str) -> bool:
    return not (_WILDCARDS | {"]"}).isdisjoint(text)


def _translate_suffix(suffix: str) -> str:
    """``**`` before plain text matches any path that ends so; ``**/name`` also the bare name."""
    if suffix.startswith("/"):
        return f"(?:.*/)?{re.escape(suffix[1:])}"
    return f".*{re.escape(suffix)}"


def _translate_one(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("**", at):
        at += 2
        if pattern.startswith("/", at):
            at += 1
        return (".*" if at == len(pattern) else "(?:.*/)?"), at
    char = pattern[at]
    match char:
        case "*":
            return "[^/]*", at + 1
        case "?":
            return "[^/]", at + 1
        case "\\":
            if at + 1 == len(pattern):
                raise BadPattern(f"{pattern!r} ends in a backslash")
            return re.escape(pattern[at + 1]), at + 2
        case "[":
            return _translate_class(pattern, at + 1)
        case _:
            return re.escape(char), at + 1


def _translate_class(pattern: str, at: int) -> tuple[str, int]:
    """Read ``[a-z]`` or ``[^a-z]`` from behind its bracket, by the rules of Go's ``filepath.Match``."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _class_member(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_member(pattern, at + 1)
        ranges.append((low, high))
    return f"[{'^' if negated else ''}{_class_body(ranges)}]", at + 1


def _class_member(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("\\", at):
        at += 1
    elif pattern.startswith(("-", "]"), at):
        raise BadPattern(f"{pattern!r}: {pattern[at]!r} has no place there")
    if at >= len(pattern):
        raise BadPattern(f"{pattern!r}: a bracket is not closed")
    return pattern[at], at + 1


def _class_body(ranges: Sequence[tuple[str, str]]) -> str:
    return "".join(
        re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges
    )
