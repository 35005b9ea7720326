"""Where the engine is asked for: the Docker CLI's precedence, each level with its reason."""

from __future__ import annotations

import hashlib
import json
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.engine import sockets
from mcpctl.engine.endpoint import discover
from mcpctl.engine.types import Tls
from mcpctl.errors import ConfigError, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sockets, "DEFAULT_SOCKET", str(tmp_path / "absent.sock"))
    monkeypatch.setattr(sockets, "PODMAN_SOCKET", str(tmp_path / "podman.sock"))
    return tmp_path


def add_context(home: Path, name: str, meta: object) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta if isinstance(meta, str) else json.dumps(meta))


def meta(name: str, host: str, *, skip_verify: bool = False) -> dict[str, Any]:
    endpoint = {"Host": host, "SkipTLSVerify": skip_verify}
    return {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}


def add_material(home: Path, name: str, *files: str) -> Path:
    folder = home / ".docker/contexts/tls" / hashlib.sha256(name.encode()).hexdigest() / "docker"
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text("")
    return folder


def use(home: Path, name: str) -> None:
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": name}))


@pytest.fixture
def listen() -> Iterator[Callable[[Path], None]]:
    """Return a function that makes a socket where somebody listens."""
    with ExitStack() as servers:

        def make(path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            server = servers.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(str(path))
            server.listen()

        yield make


def abandon(path: Path) -> None:
    """Leave a socket behind as a daemon does that died."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def test_each_level_goes_before_the_next_and_says_so(home: Path) -> None:
    for name in ("flag", "variable", "current"):
        add_context(home, name, meta(name, f"tcp://{name}:1"))
    use(home, "current")
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "variable"}

    found = discover(environ, host="tcp://h:1")
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


def test_a_host_and_a_context_together_are_a_contradiction(home: Path) -> None:
    with pytest.raises(UsageFault, match="--host and --context"):
        discover({"HOME": str(home)}, host="tcp://h:1", context="default")


def test_an_empty_variable_is_unset(home: Path) -> None:
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


def test_the_default_context_by_name_is_what_the_environment_says(home: Path) -> None:
    environ = {"HOME": str(home)}
    assert discover(environ, context="default").reason.startswith("the default socket")
    found = discover({**environ, "DOCKER_HOST": "tcp://env:1"}, context="default")
    assert (found.url, found.reason, found.context) == ("tcp://env:1", "DOCKER_HOST", None)


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
        (".rd/docker.sock", "Rancher Desktop's socket"),
        (".colima/default/docker.sock", "Colima's socket"),
        (".config/colima/default/docker.sock", "Colima's socket"),
        (".orbstack/run/docker.sock", "OrbStack's socket"),
        ("run/podman/podman.sock", "Podman's socket"),
        ("podman.sock", "Podman's socket"),
        (".lima/docker/sock/docker.sock", "Lima's socket"),
    ],
)
def test_without_any_word_the_usual_sockets_are_looked_for(
    home: Path, listen: Callable[[Path], None], path: str, reason: str
) -> None:
    listen(home / path)
    found = discover({"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")})
    assert (found.url, found.reason) == (f"unix://{home / path}", reason)


def test_the_default_socket_goes_before_the_others(home: Path, listen: Callable[[Path], None]) -> None:
    listen(home / ".rd/docker.sock")
    listen(home / "absent.sock")
    assert discover({"HOME": str(home)}).reason == "the default socket"


def test_a_plain_file_is_no_socket(home: Path) -> None:
    (home / "absent.sock").write_text("")
    assert "no other was found" in discover({"HOME": str(home)}).reason


def test_a_socket_where_nobody_listens_is_passed_over(home: Path, listen: Callable[[Path], None]) -> None:
    abandon(home / "absent.sock")
    listen(home / ".colima/default/docker.sock")
    assert discover({"HOME": str(home)}).reason == "Colima's socket"


def test_where_nobody_listens_at_all_the_first_socket_is_the_one_to_complain_about(home: Path) -> None:
    abandon(home / "absent.sock")
    abandon(home / ".rd/docker.sock")
    assert discover({"HOME": str(home)}).reason == "the default socket"


ADDRESSES = [
    ("/run/x.sock", "unix:///run/x.sock"),
    ("unix:///run/x.sock", "unix:///run/x.sock"),
    ("unix://", "unix:///var/run/docker.sock"),
    ("tcp://10.0.0.9:99", "tcp://10.0.0.9:99"),
    ("tcp://10.0.0.9", "tcp://10.0.0.9:2375"),
    ("tcp://[fd00::1]:99", "tcp://[fd00::1]:99"),
    ("10.0.0.9:99", "tcp://10.0.0.9:99"),
    (":99", "tcp://localhost:99"),
    ("build-host", "tcp://build-host:2375"),
    ("ssh://me@host:22", "ssh://me@host:22"),
    ("ssh://host/run/x.sock", "ssh://host/run/x.sock"),
]
"""What the Docker CLI takes, and what it makes of it."""


@pytest.mark.parametrize(("host", "url"), ADDRESSES)
def test_an_address_is_understood_as_the_docker_cli_does(home: Path, host: str, url: str) -> None:
    assert discover({"HOME": str(home)}, host=host).url == url
    assert discover({"HOME": str(home), "DOCKER_HOST": host}).url == url


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("http://10.0.0.9:99", "http:// is not spoken here"),
        ("npipe:////./pipe/docker_engine", "npipe:// is not spoken here"),
        ("tcp://10.0.0.9:99/path", "only a host and a port"),
        ("tcp://10.0.0.9:nine", "Port could not be cast"),
        ("tcp://10.0.0.9:99999", "Port out of range"),
        ("tcp://me:pass@10.0.0.9:99", "only a host and a port"),
        ("ssh://", "names no host"),
        ("ssh://me:pass@host", "a password has no place there"),
    ],
)
def test_what_is_no_address_is_told_before_anything_is_tried(home: Path, host: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        discover({"HOME": str(home)}, host=host)
    assert caught.value.hint == "unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT]"
    assert "me:pass" not in f"{caught.value.message}{caught.value.details}"


def test_tls_is_on_only_where_the_environment_says_so(home: Path) -> None:
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://h", "DOCKER_CERT_PATH": str(home)}
    assert discover(environ).tls is None
    found = discover({**environ, "DOCKER_TLS_VERIFY": "0"})
    assert (found.url, found.tls) == ("tcp://h:2376", Tls(verify=True, ca=f"{home}/ca.pem"))
    assert discover({**environ, "DOCKER_TLS": "1"}).tls == Tls(verify=False, ca=f"{home}/ca.pem")
    assert discover({**environ, "DOCKER_TLS_VERIFY": ""}).tls is None
    assert discover({**environ, "DOCKER_TLS_VERIFY": "1"}, host="unix:///x").tls is None


def test_client_certificates_are_used_where_they_are(home: Path) -> None:
    (home / ".docker").mkdir()
    environ = {"HOME": str(home), "DOCKER_TLS_VERIFY": "1"}
    for name in ("cert.pem", "key.pem"):
        (home / ".docker" / name).write_text("")
    folder = home / ".docker"
    expected = Tls(verify=True, ca=f"{folder}/ca.pem", cert=f"{folder}/cert.pem", key=f"{folder}/key.pem")
    assert discover(environ, host="tcp://h:1").tls == expected


def test_a_context_brings_its_own_tls_and_not_that_of_the_environment(home: Path) -> None:
    for name, skip in (("safe", False), ("loose", True), ("plain", False)):
        add_context(home, name, meta(name, "tcp://h", skip_verify=skip))
    folder = add_material(home, "safe", "ca.pem", "cert.pem", "key.pem")
    environ = {"HOME": str(home), "DOCKER_TLS_VERIFY": "1"}
    found = discover(environ, context="safe")
    assert found.url == "tcp://h:2376"
    assert found.tls == Tls(
        verify=True, ca=f"{folder}/ca.pem", cert=f"{folder}/cert.pem", key=f"{folder}/key.pem"
    )
    assert discover(environ, context="loose").tls == Tls(verify=False)
    plain = discover(environ, context="plain")
    assert (plain.url, plain.tls) == ("tcp://h:2375", None)


def test_a_fixed_api_version_is_handed_on(home: Path) -> None:
    assert discover({"HOME": str(home)}).api_version is None
    assert discover({"HOME": str(home), "DOCKER_API_VERSION": "1.43"}).api_version == "1.43"
    assert discover({"HOME": str(home), "DOCKER_API_VERSION": ""}).api_version is None


@pytest.mark.parametrize("version", ["1.40", "0.99", "new", "1", "1.41.2"])
def test_an_api_version_that_mcpctl_cannot_speak_is_an_error(home: Path, version: str) -> None:
    with pytest.raises(
        ConfigError, match=f"DOCKER_API_VERSION={version}: mcpctl needs a version from 1.41 on"
    ):
        discover({"HOME": str(home), "DOCKER_API_VERSION": version})
