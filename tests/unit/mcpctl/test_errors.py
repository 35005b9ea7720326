"""The error tree is what its drawing says, and every code is one of the contract's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mcpctl import errors
from mcpctl.errors import ExitCode, McpctlError
from mcpctl.output.outcome import envelope, failed

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWN = re.compile(r"^    [│├└─ ]*(?P<name>[A-Z]\w+) +(?P<exit_code>\d+) +(?P<code>[a-z_]+)$", re.MULTILINE)


def tree(kind: type[McpctlError]) -> Iterator[type[McpctlError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def test_the_drawing_shows_every_error_with_its_codes() -> None:
    assert errors.__doc__ is not None
    found = DRAWN.finditer(errors.__doc__)
    drawn = [(line["name"], int(line["exit_code"]), line["code"]) for line in found]
    assert drawn == [(kind.__name__, int(kind.exit_code), kind.code) for kind in tree(McpctlError)]


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in tree(McpctlError)]
    assert len(codes) == len(set(codes))


def test_the_exit_codes_are_those_that_scripts_rely_on() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "CONFIRMATION_REQUIRED": 3,
        "CONFIG_INVALID": 4,
        "ENGINE_UNREACHABLE": 5,
        "CREDENTIALS_INVALID": 6,
        "UNHEALTHY": 7,
        "LOCKED": 8,
        "PARTLY_DONE": 9,
        "NOT_FOUND": 10,
        "VERIFICATION_FAILED": 11,
        "ROLLED_BACK": 12,
        "INTERNAL": 70,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_an_error_carries_what_it_is_about_into_the_document() -> None:
    error = errors.PortTaken("port 8000 is taken", hint="set MCP_BACKEND_PORT", details={"port": 8000})
    assert envelope("up", failed(error, ["a warning"])) == {
        "schema": "mcpctl/v1",
        "command": "up",
        "status": "error",
        "exit_code": 1,
        "data": {},
        "warnings": ["a warning"],
        "errors": [
            {
                "code": "port_taken",
                "message": "port 8000 is taken",
                "hint": "set MCP_BACKEND_PORT",
                "details": {"port": 8000},
            }
        ],
    }


def test_work_done_in_part_has_a_status_of_its_own() -> None:
    assert envelope("up", failed(errors.PartlyDone("half")))["status"] == "partial"
