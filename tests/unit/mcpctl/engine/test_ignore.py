"""Docker's rules for .dockerignore, case by case. The real builders confirm them in tests/engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpctl.engine.ignore import BadPattern, Ignore


def excludes(ignore: Ignore, path: str) -> bool:
    """Walk down to a path as the context does and return the verdict on it."""
    trail: tuple[bool, ...] = ()
    excluded = False
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        excluded, trail = ignore.decide("/".join(parts[:count]), trail)
    return excluded


CASES = [
    # patterns, left out, sent
    ("README.md", "README.md", "readme.md"),
    ("Build", "Build/a", "build/a"),
    ("*.md", "a.md", "sub/a.md"),
    ("*/a.md", "sub/a.md", "a.md"),
    ("**/a.md", "a.md", "xa.md"),
    ("**/a.md", "x/y/a.md", "x/y/xa.md"),
    ("**a.md", "x/ya.md", "a.mdx"),
    ("a/**", "a/x/y", "a"),
    ("a/**/b", "a/b", "ab"),
    ("a/**/b", "a/x/y/b", "a/x/yb"),
    ("a**b", "a/x/b", "axb"),
    ("a?c", "abc", "a/c"),
    ("a[0-9]", "a5", "ax"),
    ("a[^0-9]", "ax", "a5"),
    ("a[a-c-]".replace("-]", "\\-]"), "a-", "ad"),
    ("[ab]", "b", "[ab]"),
    ("\\*", "*", "x"),
    ("\\!a", "!a", "a"),
    ("\\#a", "#a", "a"),
    ("# note\na", "a", "# note"),
    (" # no comment", "# no comment", "note"),
    ("  a  ", "a", "b"),
    ("a\r\nb\r\n", "b", "c"),
    ("\ufeffa", "a", "b"),
    ("a/", "a/b", "b"),
    ("/a", "a", "b/a"),
    ("./a", "a", "b/a"),
    ("x/../a", "a", "x"),
    ("../a", "../a", "a"),
    ("a b", "a b", "a"),
    ("a.b", "a.b", "axb"),
    ("a\x0bb", "a\x0bb", "b"),
    ("(a|b)+$", "(a|b)+$", "a"),
    ("ä*", "äö", "a"),
    ("*\n!keep", "other", "keep"),
    ("*\n!keep", "keeper", "keep/inside"),
    ("!keep\n*", "keep", ""),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", "README-a.md"),
    ("dir\n!dir/a", "dir/b", "dir/a"),
    ("dir/a\n!dir", "dir/a", "dir/b"),
    ("dir/*\n!dir/a", "dir/b", "dir/a"),
    ("**\n!**/x", "a/b", "a/x"),
    ("*\n!  spaced", "other", "spaced"),
]


@pytest.mark.parametrize(("text", "out", "sent"), CASES)
def test_a_pattern_leaves_out_what_it_says_and_nothing_else(text: str, out: str, sent: str) -> None:
    ignore = Ignore(text)
    assert excludes(ignore, out)
    if sent:
        assert not excludes(ignore, sent)


@pytest.mark.parametrize("text", [".", "/", "", "# a", "\n\n", "a/.."])
def test_a_pattern_for_the_root_leaves_nothing_out(text: str) -> None:
    assert not excludes(Ignore(text), "a")


@pytest.mark.parametrize("text", ["a[", "a[]", "[^]", "a[b-]", "a\\", "!", "[z-a]", "a[-b]"])
def test_a_broken_pattern_is_refused(text: str) -> None:
    with pytest.raises(BadPattern):
        Ignore(text)


@pytest.mark.parametrize(
    ("text", "directory", "expected"),
    [
        ("a", "a", False),
        ("a\n!b", "a", False),
        ("a\n!a/b", "a", True),
        ("a\n!a/b/c", "a/b", True),
        ("a\n!**/c", "a", True),
        ("a\n!a*", "a", True),
        ("ab\n!a", "ab", False),
    ],
)
def test_an_excluded_folder_is_entered_only_for_an_exception_below_it(
    text: str, directory: str, expected: bool
) -> None:
    assert Ignore(text).may_return(directory) is expected


names = st.text(alphabet="ab.*?[]^-!\\#( +", min_size=1, max_size=4)


@given(st.lists(names, min_size=1, max_size=3).map("/".join))
def test_an_escaped_pattern_matches_exactly_itself(path: str) -> None:
    clean = "/".join(part for part in path.split("/") if part not in {".", ".."}).strip()
    if not clean or clean != path:
        return
    escaped = "".join(f"\\{char}" if char in "*?[\\!#" else char for char in clean)
    assert excludes(Ignore(escaped), clean)
    assert not excludes(Ignore(escaped), f"{clean}x")


@given(st.text(alphabet="ab/*", min_size=1, max_size=8), st.text(alphabet="ab/", min_size=1, max_size=6))
def test_what_is_below_an_excluded_folder_is_excluded(pattern: str, path: str) -> None:
    ignore = Ignore(pattern)
    clean = "/".join(part for part in path.split("/") if part)
    if clean and excludes(ignore, clean):
        assert excludes(ignore, f"{clean}/deep/file")


@given(st.text(alphabet="ab/*!\n", max_size=20), st.text(alphabet="ab", min_size=1, max_size=3))
def test_a_last_line_decides(text: str, name: str) -> None:
    try:
        before = f"{text}\n{name}"
        assert excludes(Ignore(before), name)
        assert not excludes(Ignore(f"{before}\n!{name}"), name)
    except BadPattern:
        assert "!" in text
