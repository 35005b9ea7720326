"""How `build --explain` looks to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.output.views import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

STATES = {
    "missing": "not built yet",
    "current": "up to date: nothing that goes into it changed",
    "changed": "out of date: what goes into it changed",
    "unknown": "there; whether it is up to date cannot be told",
}


def explanation(console: Console, data: Mapping[str, Any]) -> None:
    """Draw the builder, then a block for each image."""
    builder = data["builder"]
    say(console, f"builder: {builder['name']} ({builder['reason']})")
    for image in data["images"]:
        console.print()
        console.print(image["image"], style="bold", soft_wrap=True)
        for name, value in _rows(image):
            say(console, f"  {name:<12} {value}")


def _rows(image: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("state", STATES[image["state"]]), ("service", image["service"])]
    if image["problem"]:
        rows.append(("problem", image["problem"]))
    target = f", target {image['target']}" if image["target"] else ""
    rows += [
        ("dockerfile", image["dockerfile"] + target),
        ("context", f"{image['context']}: {image['files']} files, {_size(image['bytes'])}"),
        ("sends", "all of it" if image["needed"] is None else ", ".join(image["needed"]) or "no files"),
        ("ignore file", image["ignore_file"] or "none"),
    ]
    rows += [("argument", f"{key}={_first_line(value)}") for key, value in image["args"].items()]
    rows += [("secret", name) for name in image["secrets"]]
    rows += [("platform", image["platform"])] * bool(image["platform"])
    for base in image["base_images"]:
        rows.append(("base image", f"{base['image']} ({_short(base['id'])})"))
    if image["bytes"] > 1_000_000:
        rows += [("large", f"{item['path']} ({_size(item['bytes'])})") for item in image["largest"]]
    return rows


def _first_line(text: str) -> str:
    """Return what fits on a line: certificates do not."""
    lines = text.splitlines() or [""]
    return f"{lines[0]} …" if len(lines) > 1 else lines[0]


def _short(identity: str | None) -> str:
    return identity.removeprefix("sha256:")[:12] if identity else "not here yet"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.1f} kB"
