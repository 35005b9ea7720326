"""Words for a command line that cannot be understood."""

from __future__ import annotations

PROGRAM = "mcpctl"


def describe(error: Exception) -> tuple[str, str]:
    """Return what is wrong and the command that helps, from the parser's exception."""
    path = _path(error)
    if help_instead(error):
        return f"{path} needs a command", f"{path} --help"
    # the parser's validation library puts its own words in front of ours
    return _message(error).replace("Value error, ", "").rstrip("."), f"{path} --help"


def help_instead(error: Exception) -> str | None:
    """Return the help to show where nothing was asked for; None where something wrong was."""
    return _message(error) if type(error).__name__ == "NoArgsIsHelpError" else None


def command_of(error: Exception) -> str:
    """Return the command that could not be understood, as far as the parser had got."""
    return " ".join(_path(error).split()[1:])


def _path(error: Exception) -> str:
    return str(getattr(getattr(error, "ctx", None), "command_path", PROGRAM))


def _message(error: Exception) -> str:
    return str(error.format_message() if hasattr(error, "format_message") else error)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType] - the parser's own protocol
