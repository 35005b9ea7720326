"""One value of the long form to its place in the resolved model.

Each function takes a value and returns what `docker compose config --format json` prints for it; ValueError
where it cannot.
"""

from __future__ import annotations

from typing import Any

from mcpctl.compose.shellwords import split_command
from mcpctl.compose.substitute import to_bool, to_float, to_int
from mcpctl.compose.trees import is_list, is_mapping
from mcpctl.compose.units import float32, format_duration, go_text, parse_bytes, parse_duration


def text(value: Any) -> str:
    """Return a text."""
    return go_text(value)


def texts(value: Any) -> list[str]:
    """Return a list of texts, from a list or one text."""
    items: list[Any] = value if is_list(value) else [value]
    return [go_text(item) for item in items]


def flag(value: Any) -> bool:
    """Return a truth value."""
    return to_bool(value) if isinstance(value, str) else bool(value)


def whole(value: Any) -> int:
    """Return a whole number."""
    return to_int(value) if isinstance(value, str) else int(value)


def single(value: Any) -> float | int:
    """Return a number with the precision of 32 bits, as compose keeps it."""
    return _shortest(float32(to_float(value) if isinstance(value, str) else float(value)))


def _shortest(number: float) -> float | int:
    return int(number) if number.is_integer() else number


def size(value: Any) -> str:
    """Return bytes as decimal digits."""
    return str(value if isinstance(value, int) else parse_bytes(value))


def duration(value: Any) -> str:
    """Return a duration in its shortest form."""
    return format_duration(parse_duration(str(value)))


def command(value: Any) -> list[str] | None:
    """Return the words of a command."""
    if isinstance(value, str):
        return split_command(value)[0]
    return value


def test(value: Any) -> list[str]:
    """Return a healthcheck's command in the engine's form."""
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def pairs(value: Any) -> dict[str, str | None]:
    """Return ``KEY=value`` pairs; a bare key keeps no value."""
    if is_list(value):
        cut = (go_text(line).partition("=") for line in value)
        return {key: rest if equals else None for key, equals, rest in cut}
    table: dict[str, Any] = value
    return {key: None if item is None else go_text(item) for key, item in table.items()}


def labels(value: Any) -> dict[str, str]:
    """Return ``KEY=value`` pairs in which a bare key has the empty value."""
    return {key: item or "" for key, item in pairs(value).items()}


def hosts(value: Any) -> list[str]:
    """Return ``host=address`` lines, sorted."""
    found: list[tuple[str, str]] = []
    if is_mapping(value):
        for host, addresses in value.items():
            found.extend((host, str(one)) for one in (addresses if is_list(addresses) else [addresses]))
    else:
        for line in value:
            separator = "=" if "=" in line else ":"
            host, cut, rest = str(line).partition(separator)
            if not cut:
                raise ValueError(f"{line!r} has no address: write HOST=ADDRESS")
            found.extend((host, one) for one in rest.split(","))
    return sorted(f"{_host(host)}={_unbracketed(address)}" for host, address in found)


def _host(name: str) -> str:
    if not name or ":" in name or "=" in name:
        raise ValueError(f"{name!r} is no host name")
    return name


def _unbracketed(address: str) -> str:
    if len(address) > 2 and address.startswith("[") and address.endswith("]"):
        return address[1:-1]
    return address


def device_count(value: Any) -> int:
    """Return a number of devices; ``all`` is -1."""
    if isinstance(value, str):
        return -1 if value.lower() == "all" else to_int(value)
    return int(value)


def port_number(value: Any) -> int:
    """Return a port of the container."""
    number = whole(value)
    if not 0 <= number <= 2**32 - 1:
        raise ValueError(f"{value!r} is no port")
    return number


def natural(value: Any) -> int:
    """Return a whole number that is not negative."""
    number = whole(value)
    if number < 0:
        raise ValueError(f"{value!r} is negative")
    return number


def ulimit(value: Any) -> int | dict[str, int]:
    """Return a limit: one number, or its soft and hard values."""
    if is_mapping(value):
        return {key: whole(value[key]) for key in ("soft", "hard") if whole(value[key])}
    return value or {}


def env_file(value: Any) -> str | dict[str, Any]:
    """Return an env file as compose prints it: its path, or the long form where it may be missing."""
    required = flag(value["required"])
    return value["path"] if required else {"path": value["path"], "required": False}
