"""What a client must know of a Dockerfile: bases, needed paths, and what only BuildKit understands."""

from __future__ import annotations

import pytest

from mcpctl.engine.dockerfile import parse

NEEDED = [
    ("FROM a", set[str]()),
    ("FROM a\nCOPY one two /x/", {"one", "two"}),
    ("FROM a\ncopy\tone /x", {"one"}),
    ("FROM a\nCOPY . /x", {""}),
    ("FROM a\nCOPY / /x", {""}),
    ("FROM a\nCOPY ./a/../b/ /x", {"b"}),
    ("FROM a\nCOPY ../../b /x", {"b"}),
    ("FROM a\nCOPY src/*.py deep/er/[ab]/c /x/", {"src", "deep/er"}),
    ("FROM a\nCOPY *.py /x/", {""}),
    ('FROM a\nCOPY ["a b", "/x"]', {"a b"}),
    ("FROM a\nCOPY --chown=1:1 --chmod=644 --link one /x", {"one"}),
    ("FROM a AS b\nFROM a\nCOPY --from=b /etc /x", set[str]()),
    ("FROM a\nADD https://example.com/x local.tar /x/", {"local.tar"}),
    ("FROM a\nCOPY one \\\n# a comment\n\n two \\\n /x/", {"one", "two"}),
    ("FROM a\nONBUILD COPY one /x", {"one"}),
    ("FROM a\nRUN cat <<EOF > f\nCOPY no /x\nEOF\nCOPY one /x", {"one"}),
    ("FROM a\nRUN cat <<< word && x <<2\nCOPY one /x", {"one"}),
    ("FROM a\nRUN echo '<<EOF'\nCOPY one /x", {"one"}),
    ("# syntax=docker/dockerfile:1\nFROM a\nCOPY one /x", {"one"}),
]
UNKNOWN = [
    "FROM a\nARG V\nCOPY $V /x",
    'FROM a\nCOPY "one two" /x',
    "FROM a\nCOPY one\\ two /x",
    "FROM a\nCOPY [1, 2]",
    "FROM a\nCOPY [not json] /x",
    "FROM a\nCOPY one",
    "FROM a\nCOPY --parents one /x",
    "FROM a\nCOPY --exclude=b one /x",
    "FROM a\nCOPY <<EOF /x\ntext\nEOF\n",
    "FROM a\nRUN --mount=type=bind,target=/src make",
    "# escape=`\nFROM a\nCOPY one /x",
    "# syntax=someone/else\nFROM a\nCOPY one /x",
    "FROM a\nINCLUDE+ other",
    "FROM a\nONBUILD",
]


@pytest.mark.parametrize(("text", "paths"), NEEDED)
def test_the_paths_that_a_dockerfile_reads_are_known(text: str, paths: set[str]) -> None:
    assert parse(text).needed() == paths


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_plain_is_unknown_rather_than_nothing(text: str) -> None:
    assert parse(text).needed() is None


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("FROM a\n\nRUN --mount=type=cache,target=/x \\\n  make", 3, "RUN --mount"),
        ("FROM a\nRUN <<EOF\nmake\nEOF", 2, "RUN with a here-document"),
        ("FROM a\nCOPY <<-'END' /x\n\tline\n\tEND\n", 2, "COPY with a here-document"),
        ("FROM a\nCOPY --link b /x", 2, "COPY --link"),
        ("FROM a\nadd --checksum=sha256:1 b /x", 2, "ADD --checksum"),
        ("# syntax=someone/else:1\nFROM a", 1, "# syntax=someone/else:1"),
        ("# check=skip=all\n# syntax = someone/else\nFROM a", 1, "# syntax=someone/else"),
    ],
)
def test_what_only_buildkit_understands_is_named_with_its_line(text: str, line: int, what: str) -> None:
    found = parse(text).needs_buildkit()
    assert found
    assert (found.line, found.what) == (line, what)


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker/dockerfile:1.7\nFROM a\nCOPY --chown=1 b /x",
        "FROM a\nRUN cat <<EOF without an end\nCOPY b /x",
        "FROM a\n# RUN --mount=x\nRUN echo --mount",
        "FROM a\n# syntax=someone/else is no directive here",
    ],
)
def test_what_the_engines_own_builder_understands_is_let_through(text: str) -> None:
    assert parse(text).needs_buildkit() is None


@pytest.mark.parametrize(
    ("text", "target", "bases"),
    [
        ("ARG B=python:3\nFROM ${B}", None, ("given:1",)),
        ("ARG C=python:3\nFROM $C", None, ("python:3",)),
        ("ARG C\nFROM ${C:-other:1}", None, ("other:1",)),
        ("ARG B\nFROM x${B:+-y}", None, ("x-y",)),
        ("FROM $UNKNOWN", None, ("$UNKNOWN",)),
        (
            "FROM --platform=linux/amd64 a AS One\nFROM one\nCOPY --from=b /x /x\nCOPY --from=0 /y /y",
            None,
            ("a", "b"),
        ),
        ("FROM scratch", None, ()),
        ("FROM a AS one\nFROM b AS two\nFROM c", "two", ("a", "b")),
        ("FROM a\nFROM b\nFROM c", "0", ("a",)),
    ],
)
def test_the_images_that_a_build_starts_from_are_known(
    text: str, target: str | None, bases: tuple[str, ...]
) -> None:
    assert parse(text).bases({"B": "given:1"}, target) == bases
