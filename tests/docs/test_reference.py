"""The reference is complete: commands, options, codes, variables, schemas, versions."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

import mcpctl
from mcpctl import errors
from mcpctl.errors import ExitCode, McpctlError
from server.faults import STATUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
SHARED_SCHEMAS = {"envelope", "definitions", "event", "log-line"}

VARIABLES = [
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_REGION"),
    *("AWS_CONFIG_DIR", "AWS_ENDPOINT_URL", "MCP_LOG_LEVEL", "MCP_LOG_FORMAT", "MCP_AUTH_TOKEN"),
    *("MCP_ALLOWED_HOSTS", "MCP_CORS_ORIGINS", "MCP_RATE_LIMIT", "MCP_MAX_BODY_BYTES"),
    *("MCP_TOOL_TIMEOUT_SECONDS", "MCP_TOOLS_ALLOW", "MCP_TOOLS_DENY", "MCP_AWS_READ_ONLY"),
    *("MCP_AWS_ALLOWED_PROFILES", "MCP_AWS_SECRET_ID", "MCP_AUDIT_RETENTION_DAYS", "MCP_DRAIN_SECONDS"),
    *("MCP_BIND_ADDRESS", "MCP_BACKEND_PORT", "MCP_FRONTEND_PORT", "MCP_BASE_IMAGE", "MCP_BACKEND_MEMORY"),
    "MCP_BACKEND_CPUS",
]
"""What users set, in the order of `.env.example`."""


def text(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known_commands() -> list[str]:
    module = generator()
    root: Any = module.typer.main.get_command(module.build_app())
    return [words for words, _ in module.commands(root)]


def rows(page: str) -> Iterator[list[str]]:
    """Yield the cells of every table row of a page."""
    for line in page.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_of_commands_is_what_the_command_line_says() -> None:
    assert text("commands.md") == generator().page(), "run: python docs/reference/generate.py"


def test_every_command_has_an_example() -> None:
    assert generator().EXAMPLES.keys() == {"", *known_commands()}


def test_every_command_has_its_data_and_its_schema_on_the_page_of_json() -> None:
    documented = {row[0].strip("`"): row[2] for row in rows(text("json.md")) if len(row) == 3}
    missing = [
        words
        for words in known_commands()
        if f"schemas/{words.replace(' ', '-')}.json" not in documented.get(words, "")
    ]
    assert missing == []


def test_every_schema_is_valid_and_belongs_to_a_command() -> None:
    names = {words.replace(" ", "-") for words in known_commands()}
    found = {path.stem: json.loads(path.read_text()) for path in (REFERENCE / "schemas").glob("*.json")}
    assert found.keys() == names | SHARED_SCHEMAS
    for name, schema in found.items():
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"{name}.json"


def keys_of(schema: Any) -> Iterator[str]:
    """Yield the names of all properties, at every depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for item in schema.values():
            yield from keys_of(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from keys_of(item)


@pytest.mark.parametrize("name", sorted(path.stem for path in (REFERENCE / "schemas").glob("*.json")))
def test_every_key_of_a_schema_is_on_the_page_of_json(name: str) -> None:
    documented = set(re.findall(r'["`](\w+)["`]', text("json.md")))
    assert set(keys_of(json.loads(text(f"schemas/{name}.json")))) - documented == set()


def test_every_exit_code_is_documented_and_no_other() -> None:
    page = text("exit-codes.md").partition("## Error codes")[0]
    documented = [int(cell) for row in rows(page) for cell in row if cell.isdigit()]
    assert sorted(documented) == sorted(int(code) for code in ExitCode)


def test_every_error_code_is_documented_with_its_exit_code() -> None:
    page = text("exit-codes.md").partition("## Error codes")[2]
    documented = {row[0].strip("`"): int(row[1]) for row in rows(page) if row[1].isdigit()}
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, McpctlError)
    ]
    assert documented == {kind.code: int(kind.exit_code) for kind in kinds}


def test_every_error_code_of_the_tool_service_is_documented_with_its_status() -> None:
    page = (ROOT / "docs/tools.md").read_text(encoding="utf-8")
    documented = {row[1].strip("`"): int(row[0]) for row in rows(page) if row[0].isdigit()}
    assert documented == {code.value: status for code, status in STATUS.items()}


def example_variables() -> list[tuple[str, str]]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return [
        (found[1], found[2]) for line in lines if (found := re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line))
    ]


def test_the_example_of_env_holds_exactly_what_users_set() -> None:
    assert [name for name, _ in example_variables()] == VARIABLES


def test_every_variable_of_the_example_says_what_it_means() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch(r"#?[A-Z][A-Z0-9_]+=.*", line):
            assert re.fullmatch(r"# .*\.", lines[number - 1]), f"line {number + 1} has no sentence above it"


def test_every_variable_is_documented_with_the_default_of_the_example() -> None:
    documented = {
        row[0].strip("`"): row[1].strip("`") for row in rows(text("environment.md")) if len(row) == 3
    }
    documented.pop("variable")
    assert documented == dict(example_variables())


@pytest.mark.parametrize("name", [name for name in VARIABLES if name != "AWS_CONFIG_DIR"])
def test_every_variable_of_the_example_reaches_the_stack(name: str) -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert re.search(rf"^ +{name}:$|\$\{{{name}:-", compose, re.MULTILINE)


def test_the_variables_that_mcpctl_reads_are_documented() -> None:
    pattern = re.compile(r'"((?:COMPOSE|DOCKER)_[A-Z_]+)"|"(NO_COLOR)"')
    used = {
        found[1] or found[2]
        for file in sorted((ROOT / "mcpctl").rglob("*.py"))
        for found in pattern.finditer(file.read_text(encoding="utf-8"))
    }
    assert "DOCKER_HOST" in used
    assert {name for name in used if f"`{name}`" not in text("environment.md")} == set()


def test_the_top_of_the_changelog_is_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert versions[0] == mcpctl.__version__


def test_every_room_is_in_the_table_of_the_architecture() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    documented = {row[0].strip("`/") for row in rows(page) if len(row) == 3} - {"room"}
    package = ROOT / "mcpctl"
    found = {path.parent.name for path in package.glob("*/__init__.py")}
    found |= {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    assert documented == found
