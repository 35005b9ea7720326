"""Whatever is written, a project is read or refused with a ConfigError: nothing else gets out."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.model import Project
from mcpctl.errors import ConfigError

PROJECT: dict[str, Any] = {
    "name": "shop",
    "services": {
        "web": {
            "image": "x:$TAG",
            "build": {
                "context": ".",
                "args": {"A": 1},
                "secrets": ["s"],
                "additional_contexts": {"a": "./a"},
            },
            "command": ["a"],
            "environment": {"A": 1, "B": None},
            "env_file": [{"path": "a.env", "required": False}],
            "ports": ["80:80", {"target": 81, "published": "81"}],
            "volumes": ["data:/data", {"type": "bind", "source": ".", "target": "/b", "bind": {}}],
            "networks": {"front": {"aliases": ["a"]}},
            "depends_on": {"db": {"condition": "service_healthy"}},
            "healthcheck": {"test": ["CMD", "a"], "interval": "1s", "retries": 3},
            "deploy": {
                "replicas": 1,
                "resources": {
                    "limits": {"cpus": "0.5", "memory": "64m"},
                    "reservations": {"devices": [{"capabilities": ["gpu"]}]},
                },
                "restart_policy": {"condition": "any"},
            },
            "blkio_config": {"device_read_bps": [{"path": "/dev/a", "rate": "1m"}]},
            "logging": {"driver": "d", "options": {"a": 1}},
            "secrets": ["s"],
            "configs": [{"source": "c", "mode": 292}],
            "ulimits": {"nofile": {"soft": 1, "hard": 2}},
            "develop": {"watch": [{"path": ".", "action": "sync", "target": "/a"}]},
            "extra_hosts": ["a:1.1.1.1"],
            "devices": ["/dev/a"],
            "label_file": [],
            "labels": {"a": "b"},
            "mem_limit": "64m",
            "stop_grace_period": "1m",
        },
        "db": {"image": "x", "network_mode": "service:other", "links": ["other:o"]},
        "other": {"image": "x", "profiles": ["p"]},
    },
    "volumes": {"data": {"driver": "local", "driver_opts": {"o": "bind", "device": "."}}},
    "networks": {"front": {"ipam": {"config": [{"subnet": "10.0.0.0/8"}]}}},
    "secrets": {"s": {"file": "s"}},
    "configs": {"c": {"content": "c"}},
    "x-own": [1],
}

Place = tuple[str | int, ...]

SIMPLE = [
    None,
    "",
    0,
    -1,
    True,
    1.5,
    "x",
    "5",
    "a:b",
    "$A",
    "${",
    "~",
    ".",
    "10s",
    "service:web",
    "service:",
    "=",
]
KEYS = ["source", "target", "type", "name", "x-a", "a", ""]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    if here:
        yield here
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from places(item, (*here, key))


def put(holder: Any, place: Place, value: Any) -> None:
    """Set a value where an earlier change has left the place there."""
    *above, last = place
    try:
        for part in above:
            holder = holder[part]
        holder[last] = value
    except (TypeError, KeyError, IndexError):
        return


values = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
    max_leaves=3,
)
changes = st.lists(
    st.tuples(st.sampled_from(sorted(places(PROJECT), key=str)), values), min_size=1, max_size=3
)


def outcome(request: LoadRequest) -> Project | ConfigError:
    try:
        return load(request)
    except ConfigError as error:
        return error


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
@example([(("services", "web", "build", "additional_contexts", "a"), 0)])
@example([(("services", "web", "configs", 0, "target"), ["x"])])
@example([(("services", "web", "build", "context"), "")])
@example([(("services", "web", "env_file"), "")])
def test_a_project_is_read_or_refused(folder, chosen):
    project = copy.deepcopy(PROJECT)
    for place, value in chosen:
        put(project, place, value)
    (folder / "compose.yaml").write_text(json.dumps(project))
    read = outcome(LoadRequest(folder, {"HOME": "/home/me", "TAG": "1"}, profiles=("*",)))
    assert isinstance(read, Project) or read.details["file"] == str(folder / "compose.yaml")


def test_the_project_that_is_changed_is_a_good_one(folder):
    (folder / "compose.yaml").write_text(json.dumps(PROJECT))
    read = outcome(LoadRequest(folder, {"TAG": "1"}, profiles=("*",)))
    assert isinstance(read, Project), read
    assert set(read.services) == {"web", "db", "other"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="services:\n webimagx[]{}&*<-!|>'\"#$%@,?", max_size=60))
def test_a_text_is_read_or_refused(folder, text):
    (folder / "compose.yaml").write_text(text)
    read = outcome(LoadRequest(folder, {}))
    assert isinstance(read, Project) or str(folder) in str(read)
