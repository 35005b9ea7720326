"""How usage, processes and events look to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.output.outcome import Format
from mcpctl.output.plain import PlainConsole
from mcpctl.output.tables import rich_table, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from mcpctl.output.writer import Writer

USAGE_HEADINGS = ("container", "cpu", "memory", "mem%", "net in/out", "disk in/out", "pids")
_PAIRS = ("memory", "net in/out", "disk in/out")
"""Columns of two values, which break between them where there is no room."""
_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STYLES = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


class Colours:
    """Give each service a colour of its own, the same in every run of the same file."""

    def __init__(self, services: Sequence[str]) -> None:
        self._styles = {name: _STYLES[at % len(_STYLES)] for at, name in enumerate(services)}

    def of(self, service: str) -> str:
        """Return a service's colour; one that the file does not name gets the next."""
        return self._styles.setdefault(service, _STYLES[len(self._styles) % len(_STYLES)])


def short_name(item: Mapping[str, Any]) -> str:
    """Return a container's name as compose shows it: without the project's, where it begins with that."""
    _, found, number = str(item["container"]).rpartition(f"-{item['service']}-")
    return f"{item['service']}-{number}" if found and number.isdigit() else str(item["container"])


def coloured(console: Console | PlainConsole, *parts: tuple[str, str]) -> None:
    """Write one line made of texts and their styles; texts come from outside and are never markup."""
    if isinstance(console, PlainConsole):
        console.print("".join(text for text, _ in parts))
        return
    from rich.text import Text

    console.print(Text.assemble(*parts), soft_wrap=True)


def decimal(count: float) -> str:
    """Return bytes in powers of 1000, as `docker stats` shows traffic."""
    return _scaled(count, 1000, _DECIMAL, 3)


def binary(count: float) -> str:
    """Return bytes in powers of 1024, as `docker stats` shows memory."""
    return _scaled(count, 1024, _BINARY, 4)


def _scaled(count: float, base: int, units: Sequence[str], digits: int) -> str:
    at = 0
    while count >= base and at < len(units) - 1:
        count /= base
        at += 1
    return f"{count:.{digits}g}{units[at]}"


def usage_rows(containers: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return a line of the table for each container; dashes where nothing is known yet."""
    return [_usage_row(item) for item in containers]


def _usage_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    if "cpu_percent" not in item:
        return (short_name(item), *["--"] * (len(USAGE_HEADINGS) - 1))
    return (
        short_name(item),
        f"{item['cpu_percent']:.2f}%",
        f"{binary(item['memory_bytes'])} / {binary(item['memory_limit_bytes'])}",
        f"{item['memory_percent']:.2f}%",
        f"{decimal(item['network_received_bytes'])} / {decimal(item['network_sent_bytes'])}",
        f"{decimal(item['block_read_bytes'])} / {decimal(item['block_written_bytes'])}",
        str(item["pids"]),
    )


def usage(console: Console, data: Mapping[str, Any]) -> None:
    """Draw one sample."""
    if data["containers"]:
        table(console, USAGE_HEADINGS, usage_rows(data["containers"]), folded=_PAIRS)
    else:
        console.print("nothing is running")


class LiveUsage:
    """A table that is drawn anew in place. Use as a context manager."""

    def __init__(self, writer: Writer) -> None:
        from rich.live import Live

        self._live = Live(console=writer.rich_console(), auto_refresh=False, transient=False)

    def __enter__(self) -> LiveUsage:
        """Take the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the last table where it is."""
        self._live.stop()

    def show(self, containers: Iterable[Mapping[str, Any]]) -> None:
        """Draw the newest samples."""
        drawn = rich_table(USAGE_HEADINGS, usage_rows(containers), folded=_PAIRS)
        self._live.update(drawn, refresh=True)


def processes(console: Console, data: Mapping[str, Any]) -> None:
    """Draw the processes of each container under its name."""
    if not data["containers"]:
        console.print("nothing is running")
    for at, item in enumerate(data["containers"]):
        if at:
            console.print("")
        console.print(item["container"], style="bold")
        table(console, item["titles"], item["processes"])


class EventView:
    """Writes events as they come: coloured by service on a terminal, one object a line in JSON mode."""

    def __init__(self, writer: Writer, services: Sequence[str]) -> None:
        self._writer = writer
        self._colours = Colours(services)
        self._console = None if writer.format is Format.JSON else writer.console()

    def show(self, event: Mapping[str, Any]) -> None:
        """Write one event."""
        if self._console is None:
            self._writer.json(event)
            return
        known = event["attributes"]
        more = ", ".join(f"{key}={value}" for key, value in sorted(known.items()) if key not in {"name"})
        name = known.get("name", event["id"][:12])
        coloured(
            self._console,
            (f"{event['time']} ", "dim"),
            (f"{name} ", self._colours.of(event["service"])),
            (f"{event['action']} ({more})", ""),
        )
