"""Each hardening rule finds what it is for and lets a hardened container pass."""

from __future__ import annotations

from typing import Any

import pytest

from mcpctl.stack.security_check import RULES, check_container

HARDENED: dict[str, Any] = {
    "Config": {
        "User": "1000",
        "Env": ["LEVEL=info", "TOKEN_FILE=/run/secrets/token", "MCP_AUTH_TOKEN="],
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "HostConfig": {
        "Privileged": False,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "CapAdd": ["NET_BIND_SERVICE"],
        "SecurityOpt": ["no-new-privileges:true"],
        "NetworkMode": "stack_default",
        "PidMode": "",
        "IpcMode": "private",
        "Devices": [],
        "Memory": 1,
        "NanoCpus": 1,
        "PidsLimit": 64,
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]},
    },
    "Mounts": [
        {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/x", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/home/me/.aws", "Destination": "/home/mcpuser/.aws", "RW": False},
        {"Type": "bind", "Source": "/etcetera", "Destination": "/x", "RW": True, "Propagation": "rprivate"},
    ],
}


def bind(source: str, target: str = "/x", **more: Any) -> dict[str, Any]:
    return {"Mounts": [{"Type": "bind", "Source": source, "Destination": target, "RW": True, **more}]}


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("user", {"Config": {"User": ""}}),
    ("user", {"Config": {"User": "0:0"}}),
    ("user", {"Config": {"User": "root"}}),
    ("privileged", {"HostConfig": {"Privileged": True}}),
    ("read-only", {"HostConfig": {"ReadonlyRootfs": False}}),
    ("capabilities", {"HostConfig": {"CapDrop": ["NET_RAW"]}}),
    ("capabilities", {"HostConfig": {"CapDrop": None}}),
    ("added capabilities", {"HostConfig": {"CapAdd": ["CAP_SYS_ADMIN"]}}),
    ("no-new-privileges", {"HostConfig": {"SecurityOpt": None}}),
    ("no-new-privileges", {"HostConfig": {"SecurityOpt": ["no-new-privileges:false"]}}),
    ("profiles", {"HostConfig": {"SecurityOpt": ["no-new-privileges", "seccomp=unconfined"]}}),
    ("engine's socket", bind("/var/run/docker.sock")),
    ("host's folders", bind("/")),
    ("host's folders", bind("/etc/ssl")),
    ("mount propagation", bind("/srv", Propagation="rshared")),
    ("AWS files", bind("/home/me/.aws", "/home/mcpuser/.aws")),
    ("host's namespaces", {"HostConfig": {"NetworkMode": "host"}}),
    ("host's namespaces", {"HostConfig": {"PidMode": "host"}}),
    ("devices", {"HostConfig": {"Devices": [{"PathOnHost": "/dev/kvm"}]}}),
    ("memory", {"HostConfig": {"Memory": 0}}),
    ("cpus", {"HostConfig": {"NanoCpus": 0, "CpuQuota": -1}}),
    ("pids", {"HostConfig": {"PidsLimit": None}}),
    ("pids", {"HostConfig": {"PidsLimit": -1}}),
    ("ports", {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}}}),
    ("ports", {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "::", "HostPort": "80"}]}}}),
    ("healthcheck", {"Config": {"Healthcheck": None}}),
    ("healthcheck", {"Config": {"Healthcheck": {"Test": ["NONE"]}}}),
    ("secrets", {"Config": {"Env": ["AWS_SECRET_ACCESS_KEY=abc"]}}),
]


def broken(change: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {**value, **change.get(key, {})} if isinstance(value, dict) else change.get(key, value)
        for key, value in HARDENED.items()
    }


def test_a_hardened_container_keeps_every_rule() -> None:
    assert [check for check in check_container(HARDENED) if not check.ok] == []
    assert len(check_container(HARDENED)) == len(RULES)


@pytest.mark.parametrize(("rule", "change"), BROKEN)
def test_what_breaks_a_rule_breaks_that_rule_alone(rule: str, change: dict[str, Any]) -> None:
    found = [check for check in check_container(broken(change)) if not check.ok]
    assert [check.name for check in found] == [rule]
    assert found[0].message
    assert found[0].to_json()["hint"]


def test_every_rule_has_a_case_here() -> None:
    assert {rule.name for rule in RULES} == {name for name, _ in BROKEN}


def test_a_secret_is_named_and_its_value_is_not() -> None:
    (found,) = (
        check
        for check in check_container(broken({"Config": {"Env": ["DB_PASSWORD=hunter2"]}}))
        if not check.ok
    )
    assert "DB_PASSWORD" in found.message
    assert "hunter2" not in str(found.to_json())
