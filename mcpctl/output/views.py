"""How results look to people: each view draws the same data that `-o json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mcpctl.output.tables import mark, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console


SANDBOX = "SANDBOX"


def say(console: Console, text: str) -> None:
    """Write one line as it is: what is copied from a terminal must not be broken by its width."""
    console.print(text, soft_wrap=True)


def plan(console: Console, data: Mapping[str, Any], *, empty: str = "nothing to do") -> None:
    """Draw the steps that would run, each with its reason."""
    from textwrap import wrap

    if not data["steps"]:
        console.print(empty)
        return
    for step in data["steps"]:
        say(console, f"{step['action']} {step['target']}")
        for reason in step["why"]:
            for line in wrap(reason, max(console.width - 4, 20), break_on_hyphens=False):
                console.print(f"    {line}", style="dim", soft_wrap=True)


def up(console: Console, data: Mapping[str, Any]) -> None:
    """Say what changed, then the state of the stack."""
    if not data["steps"]:
        console.print("nothing changed")
    if data["services"]:
        _services(console, data)


def down(console: Console, data: Mapping[str, Any]) -> None:
    """Say what went."""
    removed = [step for step in data["steps"] if step["action"].startswith("remove")]
    console.print(f"{len(removed)} removed" if removed else "nothing was running")


def status(console: Console, data: Mapping[str, Any]) -> None:
    """Draw the services, and where their engine is."""
    _services(console, data)
    engine = data["engine"]
    say(console, f"Docker Engine {engine['version']} at {engine['endpoint']} ({engine['reason']})")


def _services(console: Console, data: Mapping[str, Any]) -> None:
    """Draw one line for each container, and one for each service without any."""
    rows: list[Sequence[object]] = []
    for service in data["services"]:
        if not service["containers"]:
            word = "not created" if service["desired"] else "scaled to 0"
            rows.append((service["service"], mark(not service["desired"], word, word), "", ""))
        for container in service["containers"]:
            word = container["health"] or container["state"]
            verdict = mark(word in {"healthy", "running"}, word, word)
            rows.append((service["service"], verdict, container["name"], _ports(container)))
    table(console, ("service", "state", "container", "ports"), rows)


def _ports(container: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{port['host_ip']}:{port['host_port']} -> {port['container_port']}" for port in container["ports"]
    )


def health(console: Console, data: Mapping[str, Any]) -> None:
    """Draw one line for each service."""
    table(
        console,
        ("service", "health", "latency", "detail"),
        (
            (
                item["service"],
                mark(item["healthy"], item["status"], item["status"]),
                f"{item['latency_ms']} ms" if item["latency_ms"] is not None else "",
                item["detail"],
            )
            for item in data["services"]
        ),
    )


def checks(console: Console, data: Mapping[str, Any]) -> None:
    """Draw findings, each bad one with what mends it."""
    for check in data["checks"]:
        word, style = _verdict(check)
        console.print(word, style=style, end=" ")
        say(console, f"{check['name']}: {check['message']}")
        if not check["ok"] and check.get("hint"):
            say(console, f"       next: {check['hint']}")


def _verdict(check: Mapping[str, Any]) -> tuple[str, str]:
    if check["ok"]:
        return "ok  ", "green"
    return ("warn", "yellow") if check.get("level") == "warning" else ("FAIL", "red")


def pairs(console: Console, data: Mapping[str, Any]) -> None:
    """Draw names and values."""
    width = max((len(key) for key in data), default=0)
    for key, value in data.items():
        say(console, f"{key.replace('_', ' '):<{width}}  {_plain(value)}")


def _plain(value: object) -> str:
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in cast("list[object]", value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_plain(item)}" for key, item in cast("dict[str, object]", value).items())
    return str(value)


def _sandbox_line(console: Console, data: Mapping[str, Any]) -> None:
    if data.get("sandbox"):
        console.print(f"{SANDBOX}: this is not AWS", style="bold yellow")


def aws_pairs(console: Console, data: Mapping[str, Any]) -> None:
    """Draw an AWS answer, marked where it is the sandbox's."""
    _sandbox_line(console, data)
    pairs(console, {key: value for key, value in data.items() if key not in {"sandbox", "checks"}})
    if data.get("checks"):
        checks(console, data)


def validation(console: Console, data: Mapping[str, Any]) -> None:
    """Draw who the credentials are, and each check."""
    _sandbox_line(console, data)
    fields = ("account", "arn", "user_id", "source", "profile", "region", "expires_at")
    pairs(console, {key: data.get(key) for key in fields if data.get(key)})
    checks(console, data)
    console.print("valid" if data["valid"] else "not valid", style="green" if data["valid"] else "red")


def profiles(console: Console, data: Mapping[str, Any]) -> None:
    """Draw one line for each profile."""
    if not data["profiles"]:
        console.print("no profiles; next: aws configure")
        return
    table(
        console,
        ("profile", "source", "region", "role", "problem"),
        (
            [str(row.get(key) or "") for key in ("name", "source", "region", "role_arn", "problem")]
            for row in data["profiles"]
        ),
    )


def tools(console: Console, data: Mapping[str, Any]) -> None:
    """Draw one line for each tool."""
    table(console, ("tool", "title"), ((tool["name"], tool["title"]) for tool in data["tools"]))


def tool_result(console: Console, data: Mapping[str, Any]) -> None:
    """Draw a tool's result; JSON as it is, since its shape is the tool's own."""
    import json

    _sandbox_line(console, data)
    console.print(json.dumps(data, indent=2, ensure_ascii=False, default=str), soft_wrap=True)


def arrival(console: Console, data: Mapping[str, Any]) -> None:
    """Draw the panel at the end of `quick-start`."""
    from rich.panel import Panel
    from rich.text import Text

    identity, urls = data["credentials"], data["urls"]
    rows = [
        ("tool service", urls["backend"]),
        ("MCP", f"{urls['backend']}/mcp"),
        ("web page", urls["frontend"]),
        ("account", identity.get("account")),
        ("identity", identity.get("arn")),
        ("credentials", identity.get("source")),
        ("region", identity.get("region")),
    ]
    lines = [f"{name:<13} {value}" for name, value in rows if value]
    lines += [
        "",
        "next: mcpctl tools list",
        "      mcpctl aws validate",
        "      mcpctl logs -f",
        "      mcpctl down",
    ]
    title = f"{SANDBOX}: healthy, this is not AWS" if data["sandbox"] else "healthy"
    console.print(
        Panel(
            Text("\n".join(lines)),
            title=title,
            border_style="yellow" if data["sandbox"] else "green",
            expand=False,
        )
    )
