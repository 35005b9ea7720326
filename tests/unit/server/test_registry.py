"""One registry behind every surface."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from server.faults import Fault
from server.registry import Registry, Tool, mcp_name
from server.tools.catalogue import registry

from .fakes import Echo, echo, tool


class Lax(BaseModel):
    text: str = ""


def test_the_product_has_the_four_identity_tools() -> None:
    assert [found.tool.name for found in registry()] == [
        "aws/validate-credentials",
        "aws/list-profiles",
        "aws/account-info",
        "aws/test-environment",
    ]


@pytest.mark.parametrize("name", ["aws/list-profiles", "aws_list_profiles"])
def test_a_tool_is_found_by_its_http_and_by_its_mcp_name(name: str) -> None:
    assert registry().find(name).tool.name == "aws/list-profiles"


@pytest.mark.parametrize("name", ["aws/list_profiles", "aws-list-profiles", "AWS/list-profiles", "", "aws"])
def test_other_spellings_are_no_names(name: str) -> None:
    with pytest.raises(Fault):
        registry().find(name)


def test_an_unknown_tool_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(Fault) as caught:
        registry().find("aws/validate-credential")
    assert caught.value.details["nearest"][0] == "aws/validate-credentials"
    assert "aws/validate-credentials" in str(caught.value.hint)


def test_a_name_like_no_other_is_answered_with_the_way_to_the_list() -> None:
    with pytest.raises(Fault) as caught:
        registry().find("zzzz/qqqq")
    assert caught.value.hint == "GET /api/tools/list names every tool"


@pytest.mark.parametrize("name", ["aws", "aws/", "/x", "aws/List", "aws/a_b", "aws/a--b", "aws/" + "a" * 64])
def test_a_malformed_name_cannot_be_registered(name: str) -> None:
    with pytest.raises(ValueError, match="not a tool name"):
        Registry().add(tool(name))


def test_two_tools_cannot_share_a_name() -> None:
    tools = Registry()
    tools.add(tool("aws/a-b"))
    with pytest.raises(ValueError, match="two tools"):
        tools.add(tool("aws/a-b"))


def test_a_tool_that_takes_unknown_arguments_cannot_be_registered() -> None:
    lax = Tool("aws/lax", "t", "d", Lax, Echo, echo)  # pyright: ignore - the point of the test
    with pytest.raises(ValueError, match="refuse unknown arguments"):
        Registry().add(lax)


def test_every_schema_refuses_unknown_arguments_and_describes_its_fields() -> None:
    for found in registry():
        assert found.input_schema["additionalProperties"] is False
        for name, field in found.input_schema["properties"].items():
            assert field["description"], name
        assert found.tool.description
        assert found.tool.title
        assert len(mcp_name(found.tool.name)) <= 64
