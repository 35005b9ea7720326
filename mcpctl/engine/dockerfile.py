"""Read a Dockerfile as far as a client must: its bases, what it copies, and what only BuildKit understands.

Source of the rules: the Dockerfile reference. Whatever is not plain counts as unknown, never as absent.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DIRECTIVE = re.compile(r"#\s*(?P<name>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>\S.*?)\s*\Z")
_HEREDOC = re.compile(r"""(?:(?<=\s)|^)\d*<<-?(?P<quote>["']?)(?P<name>[A-Za-z_][\w.]*)(?P=quote)(?=\s|$)""")
_FLAG = re.compile(r"--(?P<name>[a-z-]+)(?:=(?P<value>\S*))?\Z")
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<operator>:?[-+])(?P<word>[^}$]*))?\})", re.ASCII
)
_BUILDKIT_FLAGS = {
    "RUN": {"mount", "network", "security", "device"},
    "COPY": {"link", "parents", "exclude", "chmod"},
    "ADD": {"link", "exclude", "chmod", "checksum", "keep-git-dir", "unpack"},
}
_OWN_FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?\Z")
_READ_NO_CONTEXT = {
    *("FROM", "ARG", "ENV", "LABEL", "CMD", "ENTRYPOINT", "EXPOSE", "VOLUME", "USER", "WORKDIR"),
    *("STOPSIGNAL", "HEALTHCHECK", "SHELL", "MAINTAINER"),
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined; ``heredoc`` tells whether text of its own followed."""

    line: int
    keyword: str
    flags: Mapping[str, str]
    rest: str
    heredoc: bool = False


@dataclass(frozen=True, slots=True)
class NeedsBuildKit:
    """The first thing in a Dockerfile that the engine's own builder does not understand."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile's directives and instructions."""

    directives: Mapping[str, str]
    instructions: tuple[Instruction, ...]

    def needs_buildkit(self) -> NeedsBuildKit | None:
        """Return the first thing that the engine's own builder refuses or, for a frontend, ignores."""
        frontend = self.directives.get("syntax")
        if frontend and not _OWN_FRONTEND.match(frontend):
            return NeedsBuildKit(1, f"# syntax={frontend}")
        for item in self.instructions:
            if item.heredoc:
                return NeedsBuildKit(item.line, f"{item.keyword} with a here-document")
            for flag in item.flags:
                if flag in _BUILDKIT_FLAGS.get(item.keyword, ()):
                    return NeedsBuildKit(item.line, f"{item.keyword} --{flag}")
        return None

    def bases(self, arguments: Mapping[str, str | None], target: str | None = None) -> tuple[str, ...]:
        """Return the images that the stages up to ``target`` start from or copy from, in order.

        One whose name cannot be told without building stands as it is written, with its ``$``.
        """
        values = self._global_arguments(arguments)
        stages: list[str] = []
        found: list[str] = []
        for item in self.instructions:
            source = ""
            if item.keyword == "FROM":
                if target and stages and target.lower() in (stages[-1], str(len(stages) - 1)):
                    break
                words = item.rest.split()
                source = _expand(words[0], values) if words else ""
                known = source.lower() in stages or source == "scratch"
                stages.append(words[2].lower() if len(words) == 3 and words[1].lower() == "as" else "")
            else:
                source = item.flags.get("from", "")
                known = source.lower() in stages or source.isdigit()
            if source and not known:
                found.append(source)
        return tuple(dict.fromkeys(found))

    def needed(self) -> frozenset[str] | None:
        """Return the paths of the context that can be read, or None where that cannot be told.

        A path stands for all below it; ``""`` is the whole context. No bases' ONBUILD is looked at.
        """
        frontend = self.directives.get("syntax")
        if "escape" in self.directives or (frontend and not _OWN_FRONTEND.match(frontend)):
            return None
        paths: set[str] = set()
        for item in self.instructions:
            found = _needed_by(item)
            if found is None:
                return None
            paths |= found
        return frozenset(paths)

    def _global_arguments(self, given: Mapping[str, str | None]) -> dict[str, str]:
        values: dict[str, str] = {}
        for item in self.instructions:
            if item.keyword == "FROM":
                break
            if item.keyword == "ARG":
                name, equals, default = item.rest.strip().partition("=")
                value = given.get(name)
                if value is None and equals:
                    value = _expand(default.strip("\"'"), values)
                if value is not None:
                    values[name] = value
        return values


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile; nothing in it is an error here, the builder judges it."""
    lines = text.removeprefix("\ufeff").splitlines()
    directives = _directives(lines)
    escape = directives.get("escape", "\\")
    return Dockerfile(directives, tuple(_instructions(lines, escape)))


def _directives(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None or match["name"].lower() in found:
            break
        found[match["name"].lower()] = match["value"]
    return found


def _instructions(lines: list[str], escape: str) -> Iterator[Instruction]:
    at = 0
    while at < len(lines):
        start = at
        text = ""
        more = True
        while more and at < len(lines):
            line = lines[at]
            at += 1
            if line.lstrip().startswith("#") or (text and not line.strip()):
                continue
            more = line.rstrip().endswith(escape)
            text += line.rstrip()[: -len(escape)] if more else line
            start = start if text.strip() else at
        if text.strip():
            item = _instruction(start + 1, text)
            end = _after_heredocs(lines, at, item) if item.keyword in _BUILDKIT_FLAGS else at
            yield replace(item, heredoc=end > at)
            at = end


def _after_heredocs(lines: list[str], at: int, item: Instruction) -> int:
    """Return the line behind the here-documents of an instruction; without their end marks they are none."""
    end = at
    for match in _HEREDOC.finditer(item.rest):
        marks = (number for number in range(end, len(lines)) if lines[number].lstrip("\t") == match["name"])
        mark = next(marks, None)
        if mark is None:
            return at
        end = mark + 1
    return end


def _instruction(line: int, text: str) -> Instruction:
    keyword, rest = _first_word(text)
    flags: dict[str, str] = {}
    while rest.startswith("--"):
        word, after = _first_word(rest)
        match = _FLAG.match(word)
        if match is None:
            break
        flags[match["name"]] = match["value"] or ""
        rest = after
    return Instruction(line, keyword.upper(), flags, rest)


def _first_word(text: str) -> tuple[str, str]:
    word, *rest = text.split(maxsplit=1)
    return word, rest[0].rstrip() if rest else ""


def _needed_by(item: Instruction) -> frozenset[str] | None:
    match item.keyword:
        case "ONBUILD":
            return _needed_by(_instruction(item.line, item.rest)) if item.rest else None
        case "RUN":
            return None if "mount" in item.flags else frozenset()
        case "COPY" | "ADD":
            return frozenset() if "from" in item.flags else _copied_by(item)
        case keyword:
            return frozenset() if keyword in _READ_NO_CONTEXT else None


def _copied_by(item: Instruction) -> frozenset[str] | None:
    words = _words(item.rest)
    plain = not item.heredoc and item.flags.keys() <= {"chown", "chmod", "link"}
    if not plain or words is None or len(words) < 2:
        return None
    local = (word for word in words[:-1] if not word.startswith(("http://", "https://")))
    return frozenset(_literal_folder(word) for word in local)


def _words(rest: str) -> list[str] | None:
    """Return the words of COPY or ADD; None where reading them takes more than splitting."""
    if rest.startswith("["):
        try:
            words: object = json.loads(rest)
        except ValueError:
            return None
        known = isinstance(words, list) and all(isinstance(word, str) for word in cast("list[object]", words))
        found = cast("list[str]", words) if known else None
    else:
        found = rest.split()
    plain = found is not None and not any(set(word) & set("$\\\"'") for word in found)
    return found if plain else None


def _literal_folder(path: str) -> str:
    """Return a source as a path below the context's root, cut before its first wildcard."""
    clean = posixpath.normpath(f"/{path}").lstrip("/")
    parts = clean.split("/")
    for count, part in enumerate(parts):
        if set(part) & set("*?["):
            return "/".join(parts[:count])
    return clean


def _expand(text: str, values: Mapping[str, str]) -> str:
    """Put the values of arguments in; what is unknown stays as it is."""

    def one(match: re.Match[str]) -> str:
        name: str = match["plain"] or match["name"]
        value, operator = values.get(name), match["operator"] or ""
        there = value if operator.startswith(":") else value is not None
        if operator.endswith("-"):
            return (value or "") if there else str(match["word"])
        if operator.endswith("+"):
            return str(match["word"]) if there else ""
        return match[0] if value is None else value

    return _VARIABLE.sub(one, text).strip("\"'")
