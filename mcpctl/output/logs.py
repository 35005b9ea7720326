"""How log lines look to people, and to programs that follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.output.monitoring import Colours, coloured, short_name
from mcpctl.output.outcome import Format

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcpctl.output.writer import Writer


class LogView:
    """Writes log lines as they come: coloured by service on a terminal, one object a line in JSON mode."""

    def __init__(
        self, writer: Writer, services: Sequence[str], *, timestamps: bool = False, prefix: bool = True
    ) -> None:
        self._writer = writer
        self._timestamps = timestamps
        self._prefix = prefix
        self._console = None if writer.format is Format.JSON else writer.console()
        self._colours = Colours(services)
        self._width = max((len(name) + 2 for name in services), default=0)

    def line(self, item: Mapping[str, Any]) -> None:
        """Write one line; its text came from outside and is never markup."""
        if self._console is None:
            self._writer.json(item)
            return
        parts: list[tuple[str, str]] = []
        if self._prefix:
            name = short_name(item)
            self._width = max(self._width, len(name))
            parts.append((f"{name:<{self._width}}  | ", self._colours.of(item["service"])))
        if self._timestamps:
            parts.append((f"{item['timestamp']} ", "dim"))
        coloured(self._console, *parts, (item["text"], ""))
