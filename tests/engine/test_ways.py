"""A stack on an engine behind TLS, and behind a real ssh server: the same as on a socket, streams too."""

from __future__ import annotations

import os
import ssl
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.build import build
from mcpctl.engine.client import Engine
from mcpctl.engine.endpoint import discover
from mcpctl.engine.recipe import read_recipe
from mcpctl.engine.streams import run_in_container
from mcpctl.engine.types import BuildSpec
from mcpctl.errors import EngineUnreachable
from mcpctl.stack.follow import follow_logs
from mcpctl.stack.logs import LogRequest
from mcpctl.stack.status import read_status
from tests.certificates import Authority
from tests.engine.stack import Stack
from tests.engine.ways import SshServer, ssh_server, tls_in_front_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from tests.conftest import Outcome

    Make = Callable[[str], Stack]
    Run = Callable[..., Outcome]

FILE = """
services:
  a:
    image: IMAGE
    command: [sh, -c, "echo begun; exec sleep 300"]
    init: true
    healthcheck: {test: "echo fine", interval: 30s}
    volumes: ["data:/data"]
volumes: {data: {}}
"""
BRIEF = "services: {a: {image: IMAGE, command: [sh, -c, 'echo one; sleep 0.3; echo two >&2']}}"


@pytest.fixture(scope="module")
def engine_socket(engine: Engine) -> str:
    assert engine.endpoint.url.startswith("unix://"), "these tests put TLS and ssh in front of a socket"
    return engine.endpoint.url.removeprefix("unix://")


@pytest.fixture(scope="module")
def secured(engine_socket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the environment that leads through TLS with certificates on both sides."""
    folder, authority = tmp_path_factory.mktemp("tls"), Authority()
    served = authority.issue(folder / "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served / "cert.pem", served / "key.pem")
    context.load_verify_locations(served / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with tls_in_front_of(engine_socket, context) as port:
        yield {
            "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(authority.issue(folder / "client")),
        }


@pytest.fixture(scope="module")
def server(engine_socket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("ssh"), engine_socket) as found:
        yield found


@pytest.fixture(params=["tls", "ssh"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return, and set, the environment of one way to the engine."""
    if request.param == "tls":
        environ: dict[str, str] = request.getfixturevalue("secured")
    else:
        server: SshServer = request.getfixturevalue("server")
        environ = {
            "DOCKER_HOST": server.url,
            "PATH": f"{server.bin}{os.pathsep}{os.environ['PATH']}",
        }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ


@contextmanager
def reached(environ: dict[str, str]) -> Generator[Engine]:
    engine = Engine(discover(environ))
    try:
        yield engine
    finally:
        engine.api.close()


def test_a_stack_lives_behind_it_from_up_to_down(stack: Make, way: dict[str, str]) -> None:
    made = stack(FILE)
    with reached(way) as engine:
        far = Stack(engine, made.name, made.folder, made.image)
        assert [item.verdict for item in far.up().ready] == ["ready"]
        assert far.up().steps == ()
        assert [item.healthy for item in read_status(engine, far.project)] == [True]
        result = run_in_container(
            engine, far.one("a").id, ["sh", "-c", "head -c 50000 /dev/zero"], timeout=20
        )
        assert (result.exit_code, len(result.output)) == (0, 50000)
        far.down(volumes=True)
    assert made.containers() == ()


def test_streams_come_through_as_they_are_sent(stack: Make, way: dict[str, str]) -> None:
    made = stack(BRIEF)
    with reached(way) as engine:
        far = Stack(engine, made.name, made.folder, made.image)
        far.up(wait=False)
        lines = [
            (item.line.stream, item.line.text) for item in follow_logs(engine, far.project, LogRequest())
        ]
    assert lines == [("stdout", "one"), ("stderr", "two")]


def test_a_build_context_is_sent_through_it(
    engine: Engine, image: str, way: dict[str, str], tmp_path: Path, fresh_name: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nCOPY big /big\n")
    (tmp_path / "big").write_bytes(os.urandom(2_000_000))
    with reached(way) as far:
        spec = BuildSpec(f"{fresh_name}:1", str(tmp_path), "Dockerfile")
        built = build(far, spec, read_recipe(far, spec.context, spec.dockerfile, {}), lambda _line: None)
    found = engine.find_image(f"{fresh_name}:1")
    engine.remove_image(f"{fresh_name}:1")
    assert found
    assert found.id == built.image_id


def test_the_command_line_says_which_way_it_took(run: Run, way: dict[str, str]) -> None:
    data = run("engine", "info", "-o", "json").json["data"]
    assert (data["endpoint"], data["reason"]) == (way["DOCKER_HOST"], "DOCKER_HOST")


def test_a_context_leads_through_tls_too(run: Run, secured: dict[str, str], tmp_path: Path) -> None:
    folder = secured["DOCKER_CERT_PATH"]
    material = ",".join(f"{name}={folder}/{name}.pem" for name in ("ca", "cert", "key"))
    environ = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    command = ["docker", "context", "create", "far", "--docker", f"host={secured['DOCKER_HOST']},{material}"]
    subprocess.run(command, env=environ, check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(tmp_path))
        data = run("--context", "far", "engine", "info", "-o", "json").json["data"]
    assert (data["endpoint"], data["context"]) == (secured["DOCKER_HOST"], "far")


# what goes wrong with ssh


def refused(environ: dict[str, str]) -> EngineUnreachable:
    with pytest.raises(EngineUnreachable) as caught:
        Engine(discover(environ)).info()
    return caught.value


@pytest.fixture
def through(server: SshServer, monkeypatch: pytest.MonkeyPatch) -> SshServer:
    monkeypatch.setenv("PATH", f"{server.bin}{os.pathsep}{os.environ['PATH']}")
    return server


def test_a_host_that_is_not_known_is_never_asked_about(through: SshServer) -> None:
    through.forget_host_key()
    try:
        error = refused({"DOCKER_HOST": through.url})
    finally:
        through.know_host_key()
    assert "ssh: " in error.message
    assert "Host key verification failed" in error.message
    assert str(error.hint).endswith("compare the fingerprint and answer yes")
    assert f"-p {through.port} " in str(error.hint)


def test_a_key_that_is_refused_is_told(through: SshServer) -> None:
    key, kept = through.folder / "client_key.pub", through.folder / "kept"
    key.rename(kept)
    try:
        error = refused({"DOCKER_HOST": through.url})
    finally:
        kept.rename(key)
    assert "Permission denied (publickey)" in error.message
    assert str(error.hint).startswith("ssh-add, or ssh-copy-id")


def test_a_socket_that_is_not_there_is_told_in_the_words_of_the_far_side(through: SshServer) -> None:
    absent = refused({"DOCKER_HOST": f"{through.url}/nowhere/docker.sock"})
    assert "ssh: failed to open the raw stream connection: dial unix /nowhere/docker.sock" in absent.message
    assert absent.hint == f"ssh -p {through.port} {through.url[6:].split(':')[0]} docker version"
