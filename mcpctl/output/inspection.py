"""How a container's document and its security look to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mcpctl.output.monitoring import binary
from mcpctl.output.views import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

WIDTH = 12
PROBES = 3
"""Last outputs of a healthcheck that are shown."""


def containers(console: Console, data: Mapping[str, Any]) -> None:
    """Draw what matters of each container."""
    for at, item in enumerate(data["containers"]):
        if at:
            console.print("")
        console.print(item["container"], style="bold")
        for name, values in _facts(item["inspect"]):
            for number, value in enumerate(values):
                say(console, f"  {'' if number else name:<{WIDTH}} {value}")


def _facts(raw: Mapping[str, Any]) -> Iterable[tuple[str, list[str]]]:
    config, host = raw["Config"], raw["HostConfig"]
    yield "state", [_state(raw)]
    yield "image", [config["Image"], raw["Image"]]
    yield "command", [_words([raw["Path"], *raw["Args"]])]
    yield "user", [config.get("User") or "root"]
    yield "ports", _ports(raw)
    yield "mounts", [_mount(mount) for mount in raw.get("Mounts") or ()]
    yield "networks", _networks(raw)
    yield "restart", [host["RestartPolicy"].get("Name") or "no"]
    yield "limits", [_limits(host)]
    yield "health", _health(raw)
    yield "environment", sorted(config.get("Env") or ())


def _state(raw: Mapping[str, Any]) -> str:
    state = raw["State"]
    word = str(state["Status"])
    if word == "running":
        word += f" since {state['StartedAt']}"
    elif word == "exited":
        word += f" with {state['ExitCode']} at {state['FinishedAt']}"
    if raw.get("RestartCount"):
        word += f", {raw['RestartCount']} restarts"
    return word + (", out of memory" if state.get("OOMKilled") else "")


def _words(words: list[str]) -> str:
    import shlex

    return shlex.join(words)


def _ports(raw: Mapping[str, Any]) -> list[str]:
    bindings = cast("dict[str, list[dict[str, str]] | None]", raw["NetworkSettings"].get("Ports") or {})
    return [
        f"{entry['HostIp']}:{entry['HostPort']} -> {port}" if entry else f"{port}, not published"
        for port, entries in sorted(bindings.items())
        for entry in entries or [{}]
    ]


def _mount(mount: Mapping[str, Any]) -> str:
    source = mount.get("Name") or mount.get("Source") or mount["Type"]
    return f"{mount['Destination']} from {source} ({mount['Type']}, {'rw' if mount.get('RW') else 'ro'})"


def _networks(raw: Mapping[str, Any]) -> list[str]:
    known = cast("dict[str, dict[str, Any]]", raw["NetworkSettings"].get("Networks") or {})
    return [
        f"{name} {entry.get('IPAddress') or '-'} as {', '.join(entry.get('Aliases') or []) or '-'}"
        for name, entry in sorted(known.items())
    ]


def _limits(host: Mapping[str, Any]) -> str:
    cpus = (host.get("NanoCpus") or 0) / 1e9
    pids = host.get("PidsLimit") or 0
    return ", ".join(
        (
            f"memory {binary(host['Memory']) if host.get('Memory') else 'unlimited'}",
            f"cpus {cpus:g}" if cpus else "cpus unlimited",
            f"pids {pids}" if pids > 0 else "pids unlimited",
        )
    )


def _health(raw: Mapping[str, Any]) -> list[str]:
    health = raw["State"].get("Health")
    if not health:
        return ["no healthcheck"]
    failing = f", {health['FailingStreak']} failures in a row" if health.get("FailingStreak") else ""
    log = cast("list[dict[str, Any]]", health.get("Log") or [])
    probes = [
        f"{probe['End'][:19]} exit {probe['ExitCode']}: {' '.join(probe['Output'].split())[:200]}"
        for probe in log[-PROBES:]
    ]
    return [f"{health['Status']}{failing}", *probes]


def security(console: Console, data: Mapping[str, Any]) -> None:
    """Draw each container's findings, and what to set against them."""
    for at, item in enumerate(data["containers"]):
        if at:
            console.print("")
        bad = [check for check in item["checks"] if not check["ok"]]
        word = f"{len(bad)} of {len(item['checks'])} rules broken" if bad else "ok"
        console.print(f"{item['container']}: {word}", style="red" if bad else "green")
        for check in bad:
            console.print(f"  {check['name']}", style="bold")
            say(console, f"      found {check['message']}")
            say(console, f"      why   {check['why']}")
            say(console, f"      set   {check['hint']}")
