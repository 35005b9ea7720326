"""tools list, tools call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import ConfigError
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from mcpctl.runtime import Runtime
    from mcpctl.service.client import ToolService

PANEL = "Monitoring"
app = typer.Typer(help="List and call the tool service's tools.")

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="The service's address; by default the published one."),
]


def service_of(runtime: Runtime, url: str | None, timeout: float = 60) -> ToolService:
    """Return the client of this project's tool service."""
    from mcpctl.service.client import ToolService, published_url

    token = (runtime.settings.get("MCP_AUTH_TOKEN") or "").split(",")[0]
    return ToolService((url or published_url(runtime.project_if_any)).rstrip("/"), token or None, timeout)


@app.command("list")
def list_tools(context: typer.Context, url: UrlOption = None, output: OutputOption = Format.HUMAN) -> None:
    """List the tools with their titles."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        data = service_of(runtime, url).tools()
        return Outcome(data, lambda console: views.tools(console, data))

    frame.answer(context, output, run)


@app.command("call")
def call_tool(
    context: typer.Context,
    tool: Annotated[
        str, typer.Argument(metavar="TOOL", help="The tool's name, such as aws/validate-credentials.")
    ],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="The tool's parameters.")
    ] = None,
    params: Annotated[
        str | None,
        typer.Option("--params", metavar="JSON", help="The parameters as one JSON object; - reads stdin."),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="Wait so long.")] = 60,
    url: UrlOption = None,
    output: OutputOption = Format.HUMAN,
) -> None:
    """Call a tool and show its result."""

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        arguments = {**_from_json(params), **dict(_pair(entry) for entry in parameters or ())}
        data = service_of(runtime, url, timeout).call(tool, arguments)
        return Outcome(data, lambda console: views.tool_result(console, data))

    frame.answer(context, output, run)


def _from_json(text: str | None) -> dict[str, object]:
    if text is None:
        return {}
    if text == "-":
        text = typer.get_text_stream("stdin").read()
    try:
        document: object = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"--params is not JSON: {error}", hint="""for example: --params '{"profile": "dev"}'"""
        ) from None
    if not isinstance(document, dict):
        raise ConfigError(
            "--params is not a JSON object", hint="""for example: --params '{"profile": "dev"}'"""
        )
    return cast("dict[str, object]", document)


def _pair(entry: str) -> tuple[str, object]:
    """Read ``key=value``; a value that is JSON (a number, true, a list) is taken as that."""
    key, equals, value = entry.partition("=")
    if not equals or not key:
        raise ConfigError(f"{entry!r} is not KEY=VALUE", hint="for example: profile=dev")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
