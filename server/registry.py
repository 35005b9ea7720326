"""The registry of tools behind every surface.

A tool is one typed function with a model for its parameters and one for its result. Its HTTP name is
``family/what-it-does``; its MCP name is the same with underscores, since the specification allows no slash.
Both names find it on every surface. Nothing registers itself: ``server.tools.catalogue`` names each tool.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from server.faults import Code, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.aws.session import Sessions

_NAME: Final = re.compile(r"[a-z][a-z0-9]*/[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_MCP_NAME: Final = 64


class Parameters(BaseModel):
    """What a tool accepts: unknown names and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Result(BaseModel):
    """What a tool answers with."""

    model_config = ConfigDict(extra="forbid")


P = TypeVar("P", bound=Parameters)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True)
class Call:
    """What a running tool may use besides its parameters."""

    request_id: str
    caller: str
    aws: Sessions


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a client may rely on before it calls a tool; the defaults are those of a harmless AWS read."""

    read_only: bool = True
    destructive: bool = False
    idempotent: bool = True
    open_world: bool = True


@dataclass(frozen=True)
class Tool(Generic[P, R]):
    """One tool: its name, its words, its types and the function that does the work in a thread."""

    name: str
    title: str
    description: str
    parameters: type[P]
    result: type[R]
    function: Callable[[Call, P], R]
    annotations: Annotations = Annotations()

    @property
    def mcp_name(self) -> str:
        """Return the name under which MCP clients see the tool."""
        return mcp_name(self.name)


@dataclass(frozen=True, slots=True)
class Description:
    """A tool as the surfaces show it, its schemas worked out once."""

    tool: Tool[Any, Any]
    input_schema: dict[str, object]
    output_schema: dict[str, object]


def mcp_name(name: str) -> str:
    """Return the MCP form of a tool's name: ``aws/list-profiles`` becomes ``aws_list_profiles``."""
    return name.replace("/", "_").replace("-", "_")


class Registry:
    """Hold the tools in the order in which they were added."""

    def __init__(self) -> None:
        self._by_mcp_name: dict[str, Description] = {}

    def add(self, tool: Tool[Any, Any]) -> None:
        """Register ``tool``.

        Raises:
            ValueError: when its name is malformed or taken, or its parameters accept unknown names.
        """
        if not _NAME.fullmatch(tool.name) or len(tool.name) > _LONGEST_MCP_NAME:
            raise ValueError(f"{tool.name!r} is not a tool name such as aws/list-profiles")
        if tool.mcp_name in self._by_mcp_name:
            raise ValueError(f"two tools are called {tool.mcp_name}")
        if tool.parameters.model_config.get("extra") != "forbid":
            raise ValueError(f"{tool.parameters.__name__} must refuse unknown arguments")
        self._by_mcp_name[tool.mcp_name] = Description(
            tool,
            tool.parameters.model_json_schema(),
            tool.result.model_json_schema(mode="serialization"),
        )

    def __iter__(self) -> Iterator[Description]:
        return iter(self._by_mcp_name.values())

    def __len__(self) -> int:
        return len(self._by_mcp_name)

    def find(self, name: str) -> Description:
        """Return the tool called ``name``, in its HTTP or its MCP form.

        Raises:
            Fault: TOOL_NOT_FOUND, with the nearest names as the hint.
        """
        found = self._by_mcp_name.get(name)
        if found is None:
            found = self._by_mcp_name.get(mcp_name(name))
            if found is not None and found.tool.name != name:
                found = None
        if found is None:
            raise self._unknown(name)
        return found

    def _unknown(self, name: str) -> Fault:
        near = difflib.get_close_matches(mcp_name(name), self._by_mcp_name, n=3, cutoff=0.5)
        names = [self._by_mcp_name[match].tool.name for match in near]
        hint = f"did you mean {' or '.join(names)}?" if names else "GET /api/tools/list names every tool"
        return Fault(
            Code.TOOL_NOT_FOUND,
            f"there is no tool called {name[:128]!r}",
            hint=hint,
            details={"nearest": names},
        )
