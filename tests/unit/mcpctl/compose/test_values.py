"""Single values: durations, sizes, words, env files, variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpctl.compose import dotenv, scalars
from mcpctl.compose.interpolate import InvalidTemplate, MissingVariable, interpolate
from mcpctl.compose.shellwords import UnfinishedCommand, split_command
from mcpctl.compose.units import float32, format_duration, go_text, parse_bytes, parse_duration
from mcpctl.errors import ConfigError


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_duration_written_is_the_duration_read(nanoseconds):
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("90s", "1m30s"),
        ("1.5s", "1.5s"),
        ("0", "0s"),
        ("36h", "36h0m0s"),
        ("1500us", "1.5ms"),
        ("-1m", "-1m0s"),
    ],
)
def test_durations_are_shown_in_their_shortest_form(text, shown):
    assert format_duration(parse_duration(text)) == shown


@pytest.mark.parametrize("text", ["", "10", "1x", "s", ".s", "1 s", "99999999999h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("64m", 2**26), ("1.5g", 3 * 2**29), ("10 KiB", 10240), ("7", 7), ("1tb", 2**40)]
)
def test_sizes_are_powers_of_1024(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1x", "99999p", "1.2.3m"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is no size"):
        parse_bytes(text)


@given(st.floats(0.001, 1000))
def test_a_32_bit_number_stays_what_it_is(value):
    assert float32(float32(value)) == float32(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1e6, "1e+06"), (1e-7, "1e-07"), (True, "true"), (5, "5"), (None, "")],
)
def test_scalars_become_text_as_in_go(value, text):
    assert go_text(value) == text


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("0777", 511),
        ("08", 8.0),
        ("1_0", 10),
        ("~", None),
        ("True", True),
        ("1:30", "1:30"),
    ],
)
def test_unquoted_words_follow_yaml_1_2(word, value):
    assert scalars.resolve(word) == value
    assert type(scalars.resolve(word)) is type(value)


def test_an_unset_variable_is_reported_once_for_each_use_and_becomes_empty():
    told: list[str] = []
    assert interpolate("[$A$B${C:-c}]", {"A": "a"}.get, told.append) == "[ac]"
    assert told == ["B"]


def test_the_first_operator_wins():
    assert interpolate("${A:-b?c}", {}.get) == "b?c"
    assert interpolate("${A-x:-y}", {}.get) == "x:-y"


def test_defaults_and_messages_are_interpolated():
    assert interpolate("${A:-${B:-$C}}!", {"C": "c"}.get) == "c!"
    with pytest.raises(MissingVariable) as caught:
        interpolate("${A:?set $C}", {"C": "it"}.get)
    assert (caught.value.variable, caught.value.reason) == ("A", "set it")


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${A", "${A!}"])
def test_what_looks_like_a_variable_and_is_none_is_refused(text):
    with pytest.raises(InvalidTemplate):
        interpolate(text, {}.get)


@given(st.text())
def test_a_text_whose_dollars_are_doubled_stays_as_it_is(text):
    assert interpolate(text.replace("$", "$$"), {}.get) == text


def test_the_environment_wins_inside_an_env_file():
    found = dotenv.parse("A=file\nB=$A\nC=$D\nD=later\n", {"A": "process"}.get, "x.env")
    assert found == {"A": "file", "B": "process", "C": "", "D": "later"}


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,5}", fullmatch=True),
        st.text(alphabet=st.characters(exclude_characters="'\\\r"), max_size=20),
    )
)
def test_single_quotes_keep_every_character(table):
    text = "".join(f"{key}='{value}'\n" for key, value in table.items())
    assert dotenv.parse(text, {}.get, "x.env") == table


def test_an_open_quote_names_the_line():
    with pytest.raises(ConfigError) as caught:
        dotenv.parse("A=1\nB='open\nC=2\n", {}.get, "x.env")
    assert (caught.value.details["line"], caught.value.details["file"]) == (2, "x.env")


def test_a_required_variable_of_an_env_file_is_named():
    with pytest.raises(ConfigError) as caught:
        dotenv.parse("A=1\nB=${C:?needed}\n", {}.get, "x.env")
    assert caught.value.details["variable"] == "C"
    assert caught.value.details["line"] == 2


def test_a_command_says_what_is_cut_off():
    assert split_command("run 'a b' c && d") == (["run", "a b", "c"], "&& d")
    with pytest.raises(UnfinishedCommand):
        split_command("run 'a")
