"""A project that cannot be used: the error names the place, the reason and the way out."""

from __future__ import annotations

import pytest

from mcpctl.compose.load import LoadRequest, find_files, load
from mcpctl.errors import ConfigError, ExitCode


def place(error: ConfigError) -> tuple[object, object]:
    return error.details.get("line"), error.details.get("column")


def test_broken_yaml_names_file_line_and_column(refusal, folder):
    error = refusal("services:\n  web:\n    image: [nginx\n  other: 1\n")
    assert error.exit_code == ExitCode.CONFIG_INVALID
    assert str(error).startswith(f"{folder}/compose.yaml:4:8: broken YAML")
    assert place(error) == (4, 8)


def test_a_doubled_key_names_both_lines(refusal):
    error = refusal("services:\n  web:\n    image: a\n    user: b\n    image: c\n")
    assert "given twice (first on line 3)" in str(error)
    assert place(error) == (5, 5)


def test_an_unknown_key_names_its_line_and_the_nearest_known_key(refusal, folder):
    error = refusal("services:\n  web:\n    image: a\n    enviroment: {A: b}\n")
    assert str(error) == (
        f"{folder}/compose.yaml:4:5: unknown key enviroment in services.web; did you mean environment?"
    )
    assert error.hint == "write environment instead of enviroment"
    assert error.details["nearest"] == "environment"


def test_an_unknown_key_like_no_other_may_become_an_extension(refusal):
    error = refusal("services:\n  web:\n    image: a\n    zzz: 1\n")
    assert error.hint == "remove it, or name it x-zzz"


@pytest.mark.parametrize(
    ("text", "key", "way_round"),
    [
        ("include: [a.yaml]\nservices: {a: {image: x}}\n", "include", "-f base.yaml -f this.yaml"),
        ("services: {a: {extends: {service: b}}, b: {image: x}}\n", "extends", "-f base.yaml -f this.yaml"),
        ("services: {a: {image: x, gpus: all}}\n", "gpus", "deploy.resources.reservations.devices"),
        ("services: {a: {image: x, cpu_count: 1}}\n", "cpu_count", "Windows"),
        ("services: {a: {build: {dockerfile_inline: FROM x}}}\n", "dockerfile_inline", "dockerfile: FILE"),
        ("services: {a: {image: x}}\nsecrets: {s: {driver: d}}\n", "driver", "Swarm"),
    ],
)
def test_an_unsupported_key_is_named_with_the_way_round(refusal, text, key, way_round):
    error = refusal(text)
    assert f"the key {key} is not supported" in str(error)
    assert error.details["unsupported"] == key
    assert way_round in error.hint


def test_a_number_where_text_belongs_says_how_to_quote_it(refusal):
    error = refusal("services:\n  web:\n    image: a\n    user: 1000\n")
    assert "services.web.user must be text, not a whole number" in str(error)
    assert error.hint == 'put it in quotes: "1000"'
    assert place(error) == (4, 5)


def test_an_unquoted_date_says_how_to_quote_it(refusal):
    error = refusal("services: {web: {image: a, labels: {day: 2026-01-02}}}\n")
    assert error.hint == 'put it in quotes: "2026-01-02"'


def test_a_required_variable_is_named_with_file_and_line(refusal, folder):
    error = refusal("services:\n  web:\n    image: web:${TAG:?say which}\n")
    assert str(error) == f"{folder}/compose.yaml:3:5: required variable TAG is missing a value: say which"
    assert error.details["variable"] == "TAG"
    assert error.hint == "set TAG in the environment or in .env"


def test_a_lone_brace_says_how_to_write_a_dollar(refusal):
    error = refusal("services:\n  web:\n    image: a\n    command: echo ${\n")
    assert place(error) == (4, 5)
    assert error.hint == "write $$ for a plain $"


def test_a_bad_value_in_the_second_file_names_the_second_file(folder, write):
    write("a.yaml", "services: {web: {image: a}}\n")
    write("b.yaml", "services:\n  web:\n    ports:\n      - 80:80\n      - 80:x\n")
    with pytest.raises(ConfigError) as caught:
        load(LoadRequest(folder, {}, files=("a.yaml", "b.yaml")))
    assert str(caught.value).startswith(f"{folder}/b.yaml:")
    assert "'80:x': 'x' is no port" in str(caught.value)


def test_an_item_of_a_list_that_two_files_write_is_not_given_a_wrong_line(folder, write):
    write("a.yaml", "services:\n  web:\n    image: a\n    volumes:\n      - /x:/x\n")
    write("b.yaml", "services:\n  web:\n    volumes:\n      - data:/data\n")
    with pytest.raises(ConfigError) as caught:
        load(LoadRequest(folder, {}, files=("a.yaml", "b.yaml")))
    assert str(caught.value).startswith(f"{folder}/b.yaml:3:5:")
    assert "the volume data, which is not defined" in str(caught.value)


def test_a_missing_dependency_is_named(refusal):
    error = refusal("services:\n  web:\n    image: a\n    depends_on:\n      - db\n")
    assert "service web depends on db, which is not defined" in str(error)
    assert error.details["dependency"] == "db"


def test_a_dependency_that_profiles_switch_off_names_the_profile(refusal):
    error = refusal("services: {a: {image: x, depends_on: [b]}, b: {image: x, profiles: [dev]}}\n")
    assert error.hint == "enable it: --profile dev; or set required: false"


def test_a_circle_is_written_out(refusal):
    error = refusal("services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}\n")
    assert "a -> b -> a" in str(error)


def test_a_missing_env_file_names_the_service_and_the_way_out(refusal, folder):
    error = refusal("services:\n  web:\n    image: a\n    env_file:\n      - app.env\n")
    assert f"the env file {folder}/app.env of service web does not exist" in str(error)
    assert place(error) == (5, 9)
    assert "required: false" in error.hint


def test_an_env_file_that_is_no_env_file_names_its_line_and_not_its_value(refusal, write, folder):
    write("app.env", "A=1\nMY PASSWORD=hunter2\n")
    error = refusal("services: {web: {image: a, env_file: app.env}}\n")
    assert str(error).startswith(f"{folder}/app.env:2:1:")
    assert "hunter2" not in str(error)


def test_a_strange_character_in_a_name_is_shown_without_the_value(refusal, write):
    write(".env", "A$=hunter2\n")
    error = refusal("services: {web: {image: a}}\n")
    assert "unexpected character '$'" in str(error)
    assert "hunter2" not in str(error)


def test_no_project_file_says_how_to_make_or_name_one(folder):
    for reader in (load, find_files):
        with pytest.raises(ConfigError) as caught:
            reader(LoadRequest(folder, {}))
        assert "-f" in caught.value.hint
        assert "-C DIR" in caught.value.hint
        assert caught.value.details["directory"] == str(folder)


def test_a_named_file_that_is_missing_says_who_named_it(folder):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml \(from COMPOSE_FILE\) does not exist"):
        load(LoadRequest(folder, {"COMPOSE_FILE": "nowhere.yaml"}))


def test_a_name_that_is_not_allowed_is_refused_with_one_that_is(refusal):
    error = refusal("services: {web: {image: a}}\n", project_name="My.Shop")
    assert "(from -p)" in str(error)
    assert error.hint == "use myshop"


def test_a_file_that_is_not_text_is_named(folder):
    (folder / "compose.yaml").write_bytes(b"services: {\xff: 1}")
    with pytest.raises(ConfigError, match=r"compose\.yaml is not UTF-8 text \(byte 11\)"):
        load(LoadRequest(folder, {}))


def test_standard_input_is_refused(folder):
    with pytest.raises(ConfigError, match="standard input"):
        load(LoadRequest(folder, {}, files=("-",)))


def test_an_empty_file_is_named(refusal, folder):
    error = refusal("# nothing\n")
    assert str(error) == f"the project file {folder}/compose.yaml is empty"
    assert error.hint == "name another with -f FILE"


def test_a_list_at_the_top_is_no_project(refusal, folder):
    assert str(refusal("- a\n")).startswith(f"{folder}/compose.yaml:1:1: a project file is a mapping")


def test_a_name_that_becomes_empty_names_its_line(refusal, folder):
    error = refusal("services: {web: {image: x}}\nname: ${NAME}\n")
    assert str(error) == f"{folder}/compose.yaml:2:1: no project name can be made of ''"
    assert error.hint == "give one: -p NAME"
