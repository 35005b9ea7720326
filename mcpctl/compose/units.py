"""Durations, byte sizes and numbers in the notation of compose and back."""

from __future__ import annotations

import re
import struct

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]*)(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)*) ?([kmgtp])?i?b?\Z", re.IGNORECASE)
_LONGEST = 2**63 - 1
_PLAIN_BELOW = 6
"""Go's %v writes 1e+06 from here on."""


def parse_duration(text: str) -> int:
    """Return the nanoseconds of ``1m30s``; raise ValueError.

    Source: Go's ``time.ParseDuration``, which compose uses for every duration.
    """
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total, at = 0, 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if not part or not (part[1] or (part[2] or ".") != "."):
            break
        total += _nanoseconds(part)
        at = part.end()
    if not rest or at < len(rest) or total > _LONGEST:
        raise ValueError(f"{text!r} is no duration (write 30s, 1m30s, 500ms)")
    return -total if text.startswith("-") else total


def _nanoseconds(part: re.Match[str]) -> int:
    unit = _UNITS[part[3]]
    fraction = (part[2] or ".")[1:]
    return int(part[1] or "0") * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def format_duration(nanoseconds: int) -> str:
    """Return nanoseconds as Go prints them: ``1m30s``, ``1.5s``, ``0s``."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for name in ("ns", "µs", "ms"):
        if rest < _UNITS[name] * 1000:
            return f"{sign}{_decimal(rest, _UNITS[name])}{name}"
    hours, rest = divmod(rest, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{sign}{text}{_decimal(rest, _UNITS['s'])}s"


def _decimal(amount: int, unit: int) -> str:
    whole, fraction = divmod(amount, unit)
    digits = str(fraction).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def parse_bytes(text: str) -> int:
    """Return the bytes of ``512m`` or ``1.5 GiB`` (powers of 1024); raise ValueError."""
    found = _SIZE.match(text)
    try:
        if found:
            power = " kmgtp".index((found[2] or " ").lower())
            size = int(float(found[1]) * 1024**power)
            if size <= _LONGEST:
                return size
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no size (write 512m, 1g, 1.5gb)")


def float32(value: float) -> float:
    """Return the shortest decimal that a 32-bit float reads back as the same: compose keeps ``cpus`` so."""
    packed = struct.pack("f", value)
    single = struct.unpack("f", packed)[0]
    for digits in range(1, 10):
        shortest = float(f"{single:.{digits}g}")
        if struct.pack("f", shortest) == packed:
            return shortest
    return float(single)


def digits_of(value: float) -> tuple[str, str, int]:
    """Return sign, significant digits and decimal exponent of the shortest form of ``value``."""
    mantissa, _, exponent = f"{value!r}e0".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    power = int(exponent.removesuffix("e0") or "0")
    digits = (whole + fraction).lstrip("0")
    power += len(whole) - 1 - (len(whole + fraction) - len(digits))
    return sign, digits.rstrip("0") or "0", power if digits.strip("0") else 0


def go_text(value: object) -> str:
    """Return a scalar as Go's ``%v`` prints it: what an environment value becomes."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return _go_float(value)
        case _:
            return str(value)


def _go_float(value: float) -> str:
    sign, digits, exponent = digits_of(value)
    if -4 <= exponent < _PLAIN_BELOW:
        return plain_float(sign, digits, exponent)
    return scientific(sign, digits, exponent)


def plain_float(sign: str, digits: str, exponent: int) -> str:
    """Write a float without an exponent."""
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    padded = digits.ljust(exponent + 1, "0")
    fraction = padded[exponent + 1 :]
    return f"{sign}{padded[: exponent + 1]}" + (f".{fraction}" if fraction else "")


def scientific(sign: str, digits: str, exponent: int, width: int = 2) -> str:
    """Write a float with an exponent of at least ``width`` digits."""
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):0{width}d}"
