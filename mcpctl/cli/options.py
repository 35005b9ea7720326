"""The options that many commands share, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcpctl.output.outcome import Format

WAIT_SECONDS = 120.0
"""How long `up` and its kin wait for health by default."""

OutputOption = Annotated[
    Format, typer.Option("--output", "-o", help="How to answer: text for people, or one JSON document.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the steps and why; change nothing.")]
LockWaitOption = Annotated[
    float, typer.Option("--lock-wait", metavar="SECONDS", help="Wait so long for another mcpctl to finish.")
]
ServicesArgument = Annotated[list[str] | None, typer.Argument(metavar="SERVICE", help="Only these services.")]
WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all is healthy.")]
WaitTimeoutOption = Annotated[
    float, typer.Option("--wait-timeout", metavar="SECONDS", help="Give up waiting for health after this.")
]
StopTimeoutOption = Annotated[
    int | None, typer.Option("--timeout", "-t", metavar="SECONDS", help="Kill a container that stops slower.")
]
CaBundleOption = Annotated[
    Path | None,
    typer.Option("--ca-bundle", metavar="FILE", help="Trust these certificates (PEM) while building."),
]
