"""Where the engine is asked for: the Docker CLI's precedence, each level with its reason."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mcpctl.engine import endpoint
from mcpctl.engine.endpoint import discover
from mcpctl.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(endpoint, "DEFAULT_SOCKET", str(tmp_path / "absent.sock"))
    return tmp_path


def add_context(home: Path, name: str, meta: object) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta if isinstance(meta, str) else json.dumps(meta))


def meta(name: str, host: str) -> dict[str, Any]:
    return {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}


def use(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


def listen(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def test_each_level_goes_before_the_next_and_says_so(home: Path) -> None:
    for name in ("flag", "variable", "current"):
        add_context(home, name, meta(name, f"tcp://{name}:1"))
    use(home, "current")
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "variable"}

    found = discover(environ, host="tcp://h:1", context="flag")
    assert (found.url, found.reason, found.context) == ("tcp://h:1", "--host", None)
    found = discover(environ, context="flag")
    assert (found.url, found.reason, found.context) == ("tcp://flag:1", "--context flag", "flag")
    found = discover(environ)
    assert (found.url, found.reason) == ("tcp://env:1", "DOCKER_HOST")
    del environ["DOCKER_HOST"]
    found = discover(environ)
    assert (found.url, found.reason, found.context) == (
        "tcp://variable:1",
        "DOCKER_CONTEXT=variable",
        "variable",
    )
    del environ["DOCKER_CONTEXT"]
    found = discover(environ)
    assert (found.url, found.reason) == ("tcp://current:1", "current Docker context 'current'")


def test_a_path_is_a_socket_and_an_empty_variable_is_unset(home: Path) -> None:
    assert discover({"HOME": str(home)}, host="/run/x.sock").url == "unix:///run/x.sock"
    assert discover({"HOME": str(home), "DOCKER_HOST": ""}).reason == "the default socket; no other was found"


@pytest.mark.parametrize("how", ["flag", "variable", "current"])
def test_an_unknown_context_never_means_the_default_socket(home: Path, how: str) -> None:
    add_context(home, "known", meta("known", "tcp://known:1"))
    environ = {"HOME": str(home)}
    if how == "variable":
        environ["DOCKER_CONTEXT"] = "gone"
    if how == "current":
        use(home, "gone")
    with pytest.raises(ConfigError, match="no Docker context 'gone'") as caught:
        discover(environ, context="gone" if how == "flag" else None)
    assert caught.value.hint
    assert "default, known" in caught.value.hint


@pytest.mark.parametrize(
    "damage", ["{", "[]", '"text"', "null", "{}", '{"Name": "bad"}', '{"Name": "bad", "Endpoints": []}']
)
def test_a_damaged_context_stops_nobody_else_and_is_unknown_itself(home: Path, damage: str) -> None:
    add_context(home, "bad", damage)
    add_context(home, "good", meta("good", "tcp://good:1"))
    assert discover({"HOME": str(home)}, context="good").url == "tcp://good:1"
    with pytest.raises(ConfigError, match="'bad'"):
        discover({"HOME": str(home)}, context="bad")


def test_a_damaged_docker_configuration_is_an_error_with_its_path(home: Path) -> None:
    use(home, "x")
    (home / ".docker/config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json cannot be read"):
        discover({"HOME": str(home)})


@pytest.mark.parametrize("text", ["{}", "[]", '{"currentContext": ""}', '{"currentContext": "default"}'])
def test_a_configuration_without_a_context_means_the_sockets(home: Path, text: str) -> None:
    use(home, "x")
    (home / ".docker/config.json").write_text(text)
    assert discover({"HOME": str(home)}).context is None


def test_the_default_context_by_name_means_the_sockets(home: Path) -> None:
    assert discover({"HOME": str(home)}, context="default").context is None


def test_the_configuration_may_lie_elsewhere(home: Path) -> None:
    add_context(home, "c", meta("c", "tcp://c:1"))
    environ = {"HOME": "/nowhere", "DOCKER_CONFIG": str(home / ".docker")}
    assert discover(environ, context="c").url == "tcp://c:1"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("run/docker.sock", "the rootless engine's socket"),
        (".docker/run/docker.sock", "Docker Desktop's socket"),
        (".docker/desktop/docker.sock", "Docker Desktop's socket"),
        (".colima/default/docker.sock", "Colima's socket"),
        (".rd/docker.sock", "Rancher Desktop's socket"),
    ],
)
def test_without_any_word_the_usual_sockets_are_looked_for(home: Path, path: str, reason: str) -> None:
    listen(home / path)
    found = discover({"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")})
    assert (found.url, found.reason) == (f"unix://{home / path}", reason)


def test_the_default_socket_goes_before_the_others(home: Path) -> None:
    listen(home / ".rd/docker.sock")
    listen(home / "absent.sock")
    assert discover({"HOME": str(home)}).reason == "the default socket"


def test_a_plain_file_is_no_socket(home: Path) -> None:
    (home / "absent.sock").write_text("")
    assert "no other was found" in discover({"HOME": str(home)}).reason
