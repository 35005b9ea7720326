"""Generated services in two files: the merge agrees with the real docker compose, and so does every hash."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.output import document
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVICES = 300
REFUSALS = 40

# Two or more ways to write each key; a generated service takes some keys and one way of each.
WAYS: dict[str, list[Any]] = {
    "annotations": [{"a": "1"}, ["a=2", "b"]],
    "attach": [True, "false"],
    "build": [
        "./ctx",
        {"context": ".", "args": {"A": 1}},
        {"args": ["A=2", "B"], "target": "t", "tags": ["x", "x"]},
    ],
    "cap_add": [["A"], ["B", "A"]],
    "command": ["a b", ["c"], None],
    "configs": [["c"], [{"source": "c", "target": "/c"}], [{"source": "d", "target": "/c"}]],
    "container_name": ["one", "two"],
    "cpus": [0.5, "1.25", 2],
    "depends_on": [
        ["dep"],
        {"dep": {"condition": "service_healthy"}},
        {"dep2": {"condition": "service_started"}},
    ],
    "deploy": [
        {"replicas": 1, "labels": {"a": 1}},
        {"resources": {"limits": {"cpus": "0.5", "memory": "64m"}}},
        {"labels": ["a=2"], "resources": {"limits": {"pids": 5}}},
    ],
    "devices": [["/dev/a:/dev/x"], ["/dev/b:/dev/x:r", "/dev/c"]],
    "dns": ["1.1.1.1", ["2.2.2.2", "1.1.1.1"]],
    "dns_opt": [["a"], ["b", "a"]],
    "entrypoint": ["/e", [], ["x", "y"]],
    "environment": [{"A": 1, "B": None}, ["A=2", "C"], {"D": True, "A": 1.5}],
    "expose": [[80], ["80", 81]],
    "extra_hosts": [["a:1.1.1.1"], {"b": "2.2.2.2"}, ["c=::1"]],
    "healthcheck": [
        {"test": "a", "interval": "90s"},
        {"test": ["CMD", "b"], "retries": 3},
        {"disable": True},
    ],
    "hostname": ["h1", "h2"],
    "init": [True, "false"],
    "labels": [{"a": 1, "b": "x"}, ["a=2", "c"], {}],
    "links": [["dep"], ["dep2:alias", "dep"]],
    "logging": [{"driver": "d", "options": {"a": "1"}}, {"options": {"a": 2}}, {"driver": "e"}],
    "mem_limit": ["64m", 1000000, "1g"],
    "networks": [
        ["n1"],
        {"n1": {"aliases": ["x"]}, "n2": None},
        {"n2": {"aliases": ["y", "y"], "priority": 5}},
    ],
    "ports": [["80:80"], [80, "81:81/udp"], [{"target": 80, "published": "80"}, "90-91:90-91"]],
    "profiles": [["p"], ["q", "p"]],
    "pull_policy": ["always", "if_not_present"],
    "read_only": [True, "no"],
    "restart": ["always", "on-failure:3"],
    "secrets": [["s"], [{"source": "s", "mode": 292}], [{"source": "s2", "target": "/run/secrets/s"}]],
    "security_opt": [["a"], ["b"]],
    "shm_size": ["1m", 5],
    "stop_grace_period": ["90s", "1m"],
    "sysctls": [{"a": 1}, ["a=2", "b=3"]],
    "tmpfs": ["/t", ["/t", "/u:size=1"], ["/u:size=2"]],
    "ulimits": [{"nofile": 5}, {"nofile": {"soft": 1, "hard": 2}, "nproc": 3}],
    "user": ["1", "2:3"],
    "volumes": [
        ["v:/v"],
        ["w:/v", "./b:/b:ro"],
        [{"type": "bind", "source": "./c", "target": "/b"}, "/anon"],
    ],
    "working_dir": ["/a", "/b"],
}
SHARED = {
    "volumes": dict.fromkeys(["v", "w"]),
    "networks": dict.fromkeys(["n1", "n2"]),
    "secrets": {"s": {"file": "s"}, "s2": {"environment": "S"}},
    "configs": {"c": {"file": "c"}, "d": {"content": "d"}},
}
DEPENDENCIES = {"dep": {"image": "x"}, "dep2": {"image": "x"}}

Pair = tuple[dict[str, Any], dict[str, Any]]


def pairs() -> list[Pair]:
    chosen = random.Random(20)  # noqa: S311 - the same services in every run

    def service() -> dict[str, Any]:
        keys = chosen.sample(sorted(WAYS), chosen.randint(1, 9))
        return {key: chosen.choice(WAYS[key]) for key in keys}

    return [({"image": "x"} | service(), service()) for _ in range(SERVICES)]


@pytest.fixture
def request_of(tmp_path: Path, environ: Mapping[str, str]) -> Any:
    def write(services: list[Pair]) -> LoadRequest:
        first = {f"s{i}": base for i, (base, _) in enumerate(services)} | DEPENDENCIES
        second = {f"s{i}": over for i, (_, over) in enumerate(services)}
        (tmp_path / "a.yaml").write_text(json.dumps({"services": first, **SHARED}))
        (tmp_path / "b.yaml").write_text(json.dumps({"services": second}))
        return LoadRequest(
            tmp_path, {**environ, "C": "c"}, files=("a.yaml", "b.yaml"), project_name="p", profiles=("*",)
        )

    return write


def accepted(request: LoadRequest) -> bool:
    try:
        load(request)
    except ConfigError:
        return False
    return True


def test_services_in_two_files_merge_alike(request_of: Any, compose: Any) -> None:
    everything = pairs()
    good = [pair for pair in everything if accepted(request_of([pair]))]
    project = load(request_of(good))
    theirs = compose.config(request_of(good))
    assert isinstance(theirs, dict), theirs
    ours = document(project.model)
    odd = [pair for i, pair in enumerate(good) if ours["services"][f"s{i}"] != theirs["services"][f"s{i}"]]
    assert odd == []
    assert ours == theirs
    hashes = {key: service.config_hash for key, service in project.services.items()}
    assert hashes == compose.hashes(request_of(good))
    refused = [pair for pair in everything if pair not in good][:REFUSALS]
    assert [pair for pair in refused if isinstance(compose.config(request_of([pair])), dict)] == []
    assert len(good) > SERVICES // 2
    compose.seen["merged services"] += len(good)
    compose.seen["merged services refused"] += len(refused)
