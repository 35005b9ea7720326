"""Take option values that are right already as they are.

Typer builds a validator for each parameter of a command, given or not, and loads pydantic for it: 100 ms that
every command would pay. Most values need none: an option that was not given, a text that is to be a text, a
default. Anything else goes to Typer's own validator, and so does every wrong value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDER = "get_runtime_param"
"""Typer's method that builds a parameter's validator. It is not documented: see `take_plain_values`."""


@dataclass(frozen=True, slots=True)
class _PlainFirst:
    """Stands for a parameter's validator, which is built where it is needed after all."""

    build: Callable[[], Any]
    descriptor: Any

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value as its parameter wants it; raise Typer's own usage error where it is wrong."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        wanted = self.descriptor.annotation
        if wanted is Path and not self.descriptor.parameter_info.exists:
            return Path(value)
        if isinstance(wanted, type) and _fits(value, wanted):
            return wanted(value)
        if wanted == list[str] and isinstance(value, (list, tuple)):
            return list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - words of the command line
        return self.build().coerce(value, param=param, ctx=ctx)


def _fits(value: Any, wanted: type) -> bool:
    if issubclass(wanted, Enum):
        return value in [member.value for member in wanted]
    if wanted in {int, float} and isinstance(value, str):
        digits = value.replace(".", "", 1) if wanted is float else value
        return digits.isascii() and digits.isdigit()
    if wanted is float:
        return type(value) in {int, float}
    return type(value) is wanted and wanted in {str, bool, int}


def take_plain_values() -> None:
    """Put the short way in front of Typer's validators.

    Where a later Typer has no such method, commands work as before but start slower, which a test tells.
    """
    for kind in (TyperOption, TyperArgument):
        original: Any = getattr(kind, BUILDER, None)
        if original is not None and original.__module__ != __name__:
            setattr(kind, BUILDER, _short(original))


def _short(original: Any) -> Callable[[Any], Any]:
    @wraps(original, assigned=())
    def get_runtime_param(self: Any) -> Any:
        if self.type_descriptor.parameter_info.parser is not None:
            return original(self)
        return _PlainFirst(lambda: original(self), self.type_descriptor)

    return get_runtime_param
