"""aws validate, list-profiles, account-info, test: the operator's side of the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from mcpctl.cli import frame
from mcpctl.cli.options import OutputOption
from mcpctl.errors import ExitCode
from mcpctl.output.outcome import Format, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from mcpctl.errors import McpctlError
    from mcpctl.runtime import Runtime

    Answer = tuple[Mapping[str, Any], McpctlError | None]

PANEL = "AWS"
app = typer.Typer(help="Check the AWS credentials, profiles and account.")


@app.command("validate")
def validate(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Check the credentials: whose, from where, accepted?

    Exit 6 unless AWS accepts them.
    """

    def here(settings: Mapping[str, str]) -> Answer:
        from mcpctl.aws.validate import validate as check

        found = check(settings)
        return found.to_json(), found.error

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        data, error = _here_or_there(runtime, here, "aws/validate-credentials")
        return _outcome(data, error, lambda console: views.validation(console, data), good=data.get("valid"))

    frame.answer(context, output, run)


@app.command("list-profiles")
def list_profiles(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """List the AWS profiles.

    The broken ones say why.
    """

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.aws.profiles import list_profiles as read
        from mcpctl.output import views

        rows = [row.to_json() for row in read(runtime.settings)]
        data: dict[str, object] = {"profiles": rows, "count": len(rows)}
        return Outcome(data, lambda console: views.profiles(console, data))

    frame.answer(context, output, run)


@app.command("account-info")
def account_info(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Show the account: alias, organisation, regions."""

    def here(settings: Mapping[str, str]) -> Answer:
        from mcpctl.aws.account import account_info as read

        return read(settings).to_json(), None

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        data, _ = _here_or_there(runtime, here, "aws/account-info")
        return Outcome(data, lambda console: views.aws_pairs(console, data))

    frame.answer(context, output, run)


@app.command("test")
def test(context: typer.Context, output: OutputOption = Format.HUMAN) -> None:
    """Try the whole way to AWS, with its latency.

    Resolves, signs and calls. Exit 6 if a step fails.
    """

    def here(settings: Mapping[str, str]) -> Answer:
        from mcpctl.aws.probe import probe

        found = probe(settings)
        return found.to_json(), found.error

    def run(runtime: Runtime) -> Outcome:
        from mcpctl.output import views

        data, error = _here_or_there(runtime, here, "aws/test-environment")
        return _outcome(data, error, lambda console: views.aws_pairs(console, data), good=data.get("ok"))

    frame.answer(context, output, run)


def _here_or_there(runtime: Runtime, here: Callable[[Mapping[str, str]], Answer], tool: str) -> Answer:
    """Ask from this machine; in the sandbox, which only the stack's network reaches, ask the tool service."""
    from mcpctl.aws.settings import sandbox_is_on
    from mcpctl.cli.tools import service_of

    if sandbox_is_on(runtime.settings):
        return {**service_of(runtime, None).call(tool, {}), "sandbox": True}, None
    return here(runtime.settings)


def _outcome(
    data: Mapping[str, Any], error: McpctlError | None, show: Callable[[Console], None], *, good: object
) -> Outcome:
    """Answer with the checks, and with the failure's own exit code where there is one."""
    if error:
        return Outcome(data, show, error.exit_code, errors=(error,))
    return Outcome(data, show, ExitCode.OK if good else ExitCode.CREDENTIALS_INVALID)
