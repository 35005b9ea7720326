"""`inspect`: the engine's document of a container, without its secrets."""

from __future__ import annotations

import json

from mcpctl.stack.inspection import masked

RAW = {
    "Name": "/p-a-1",
    "Args": ["--db", "postgres://app:hunter2@db/app"],
    "Config": {
        "Env": ["API_TOKEN=hunter2", "LEVEL=info", "BARE", "DB=http://u:hunter2@h"],
        "Labels": {"app.secret": "hunter2", "app.name": "a"},
    },
    "HostConfig": {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "hunter2", "tag": "x"}}},
}


def test_no_secret_of_a_container_is_shown() -> None:
    shown = masked(RAW)
    assert "hunter2" not in json.dumps(shown)
    assert shown["Config"]["Env"] == ["API_TOKEN=***", "LEVEL=info", "BARE", "DB=http://u:***@h"]
    assert shown["Config"]["Labels"] == {"app.secret": "***", "app.name": "a"}
    assert shown["HostConfig"]["LogConfig"]["Config"] == {"splunk-token": "***", "tag": "x"}
    assert shown["Args"] == ["--db", "postgres://app:***@db/app"]


def test_what_an_engine_leaves_out_is_no_matter() -> None:
    shown = masked({"Config": {"Env": None, "Labels": None}, "HostConfig": {}})
    assert shown["Config"] == {"Env": [], "Labels": {}}
