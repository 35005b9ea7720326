"""Put the command groups together. Nothing heavy is imported here: `--help` must stay fast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcpctl import __version__
from mcpctl.cli import (
    aws,
    building,
    cleanup,
    development,
    engine,
    host,
    inspection,
    lifecycle,
    logs,
    monitoring,
    oneoff,
    quickstart,
    running,
    terminal,
    tools,
    watching,
)
from mcpctl.cli.aliases import place
from mcpctl.cli.help import Group
from mcpctl.cli.values import take_plain_values
from mcpctl.runtime import GlobalOptions, Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def build_app() -> typer.Typer:
    """Return the whole command line."""
    app = typer.Typer(
        name="mcpctl",
        cls=Group,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings=CONTEXT,
        help="Run an MCP server with AWS tools in Docker.",
        epilog="Start here: mcpctl quick-start",
    )
    app.callback()(_global_options)
    for group in (
        quickstart,
        building,
        lifecycle,
        running,
        logs,
        inspection,
        monitoring,
        watching,
        terminal,
        oneoff,
        development,
        host,
    ):
        group.register(app)
    for name, group in (("aws", aws), ("tools", tools), ("engine", engine)):
        app.add_typer(
            group.app,
            name=name,
            cls=Group,
            rich_help_panel=group.PANEL,
            context_settings=CONTEXT,
            no_args_is_help=True,
        )
    app.add_typer(
        cleanup.app,
        name="clean",
        cls=Group,
        rich_help_panel=cleanup.PANEL,
        context_settings=CONTEXT,
        invoke_without_command=True,
    )
    return app


def build_command(words: Sequence[str]) -> Any:
    """Return the command line for ``words``: the whole, or just the command that they name.

    Typer needs a millisecond for each command, wanted or not.
    """
    app = build_app()
    at = place(words)
    commands = [item for item in app.registered_commands if at is not None and item.name == words[at]]
    groups = [item for item in app.registered_groups if at is not None and item.name == words[at]]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups
    take_plain_values()
    return typer.main.get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mcpctl {__version__}")
        raise typer.Exit


def _global_options(
    context: typer.Context,
    project_directory: Annotated[
        Path | None, typer.Option("--project-directory", "-C", metavar="DIR", help="The project's folder.")
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option("--file", "-f", metavar="FILE", help="A compose file; repeatable.")
    ] = None,
    env_file: Annotated[
        list[str] | None, typer.Option("--env-file", metavar="FILE", help="An env file; repeatable.")
    ] = None,
    project_name: Annotated[
        str | None, typer.Option("--project-name", "-p", metavar="NAME", help="The project's name.")
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option("--profile", metavar="NAME", help="Enable a profile; repeatable.")
    ] = None,
    engine_host: Annotated[
        str | None, typer.Option("--host", "-H", metavar="URL", help="The Docker Engine's address.")
    ] = None,
    engine_context: Annotated[
        str | None, typer.Option("--context", metavar="NAME", help="A Docker context.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what was asked for.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more: builders' lines, traces.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version  # its callback has answered
    runtime = context.obj
    if not isinstance(runtime, Runtime):
        raise TypeError("the command line was run without its invocation")
    runtime.options = GlobalOptions(
        project_directory=project_directory,
        files=tuple(file or ()),
        env_files=tuple(env_file or ()),
        project_name=project_name,
        profiles=tuple(profile or ()),
        host=engine_host,
        context=engine_context,
    )
    runtime.writer.quiet = quiet
    runtime.writer.verbose = verbose
    runtime.writer.color = not no_color and "NO_COLOR" not in runtime.environ
