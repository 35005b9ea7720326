"""The first word with an engine: its API version, TLS, and what is told when it does not come about."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.engine import attempt, connection
from mcpctl.engine.client import Engine
from mcpctl.engine.types import Endpoint, Tls
from mcpctl.errors import ConfigError, EngineUnreachable
from tests.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[..., str]


class Answer(BaseHTTPRequestHandler):
    """Answers a ping as the server was told to."""

    def do_GET(self) -> None:
        status, version, text = self.server.told  # type: ignore[attr-defined]  # set by `serve`
        self.send_response(status)
        if version:
            self.send_header("Api-Version", version)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    told = (200, "1.45", b"OK")
    tls: ssl.SSLContext | None = None

    def get_request(self) -> Any:
        found, address = super().get_request()
        if self.tls:
            found.settimeout(10)
            found = self.tls.wrap_socket(found, server_side=True, do_handshake_on_connect=False)
        return found, address

    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing: a refused handshake is what most tests here are about."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server and gives its address."""
    with ExitStack() as servers:

        def start(
            version: str = "1.45", status: int = 200, text: bytes = b"OK", tls: ssl.SSLContext | None = None
        ) -> str:
            server = servers.enter_context(Server(("127.0.0.1", 0), Answer))
            server.told, server.tls = (status, version, text), tls
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            servers.callback(thread.join)
            servers.callback(server.shutdown)
            return f"127.0.0.1:{server.server_address[1]}"

        yield start


@pytest.fixture
def mute() -> Iterator[str]:
    """Return the address of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def endpoint(address: str, **more: Any) -> Endpoint:
    return Endpoint(f"tcp://{address}", "DOCKER_HOST", **more)


def spoken(found: Endpoint) -> tuple[int, int]:
    engine = Engine(found)
    version = engine.api_version
    engine.api.close()
    return version


def refused(found: Endpoint) -> EngineUnreachable:
    with pytest.raises(EngineUnreachable) as caught:
        spoken(found)
    assert caught.value.hint
    assert found.url in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("offered", "version"), [("1.41", (1, 41)), ("1.45", (1, 45)), ("1.52", (1, 45)), ("2.0", (1, 45))]
)
def test_the_newest_version_that_both_know_is_spoken(
    serve: Serve, offered: str, version: tuple[int, int]
) -> None:
    assert spoken(endpoint(serve(offered))) == version


def test_an_engine_that_is_too_old_is_refused_with_both_versions(serve: Serve) -> None:
    error = refused(endpoint(serve("1.40")))
    assert "speaks API 1.40; mcpctl needs 1.41 or newer" in error.message
    assert error.hint == "install Docker Engine 20.10 or newer"


def test_a_version_that_the_environment_fixes_is_not_negotiated(serve: Serve) -> None:
    assert spoken(endpoint(serve("1.45"), api_version="1.42")) == (1, 42)
    with pytest.raises(ConfigError, match=r"DOCKER_API_VERSION=1.60 is newer .* speaks: 1.45") as caught:
        spoken(endpoint(serve("1.45"), api_version="1.60"))
    assert caught.value.hint == "unset DOCKER_API_VERSION"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 404, "text": b"no such page"}, "no Docker Engine: HTTP 404, no such page"),
        ({"version": ""}, "no Docker Engine: HTTP 200, OK"),
        ({"version": "newest"}, "no Docker Engine: HTTP 200, OK"),
        ({"status": 500, "text": b""}, "no Docker Engine: HTTP 500, an empty answer"),
    ],
)
def test_a_server_that_is_no_engine_is_told_from_one(serve: Serve, answer: Any, said: str) -> None:
    assert said in refused(endpoint(serve(**answer))).message


def test_plain_words_to_an_engine_with_tls_name_the_setting(serve: Serve) -> None:
    """The 400 is what every engine says then: it comes from Go's HTTP server."""
    said = serve(version="", status=400, text=b"Client sent an HTTP request to an HTTPS server.\n")
    assert refused(endpoint(said)).hint == "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
    in_context = refused(endpoint(said, context="far"))
    assert "the context has none" in in_context.message
    assert str(in_context.hint).startswith("docker context inspect far")


@pytest.mark.parametrize("tls", [None, Tls(verify=False)])
def test_an_engine_that_never_answers_is_given_up(
    mute: str, tls: Tls | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FIRST_ANSWER_SECONDS", 0.2)
    error = refused(endpoint(mute, tls=tls))
    assert "takes connections but gave no answer within 0.2 s" in error.message


def test_those_who_wait_for_the_same_engine_share_its_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each of them would wait its own ten seconds, one after the other; a later call asks anew."""
    attempts: list[str] = []
    arrived = threading.Semaphore(0)

    def now() -> float:
        arrived.release()
        return time.monotonic()

    def fail(found: Endpoint) -> None:
        attempts.append(found.url)
        if len(attempts) == 1:
            assert all(arrived.acquire(timeout=10) for _ in range(4)), "all four have asked"
        raise EngineUnreachable("nobody")

    monkeypatch.setattr(attempt, "monotonic", now)
    monkeypatch.setattr(connection, "connect", fail)
    engine, told = Engine(endpoint("127.0.0.1:1")), list[BaseException]()

    def ask() -> None:
        try:
            engine.info()
        except EngineUnreachable as error:
            told.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(attempts), len(told)) == (1, 4)
    ask()
    assert (len(attempts), len(told)) == (2, 5)


def test_the_certificates_of_the_environment_are_not_the_engines(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's HTTP library lets these win over an endpoint's own authority."""
    authority = Authority()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(Authority().issue(tmp_path / "other") / "ca.pem"))
    served = serve(tls=server_context(authority.issue(tmp_path / "server")))
    assert spoken(endpoint(served, tls=client_tls(authority.issue(tmp_path / "client")))) == (1, 45)


def test_without_verification_any_certificate_will_do_and_no_warning_is_shown(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(tls=server_context(Authority().issue(tmp_path / "server", expired=True), clients=False))
    assert spoken(endpoint(served, tls=Tls(verify=False))) == (1, 45)


def server_context(folder: Path, *, clients: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    if clients:
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(folder: Path) -> Tls:
    return Tls(True, *(str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))


@pytest.mark.parametrize(
    ("certificate", "said", "hint"),
    [
        ({"expired": True}, "its certificate has expired", "-dates"),
        ({"address": "10.0.0.9"}, "its certificate is not for 127.0.0.1", "-ext subjectAltName"),
    ],
)
def test_what_is_wrong_with_the_engines_certificate_is_told(
    serve: Serve, tmp_path: Path, certificate: Any, said: str, hint: str
) -> None:
    authority = Authority()
    served = serve(tls=server_context(authority.issue(tmp_path / "server", **certificate)))
    error = refused(endpoint(served, tls=client_tls(authority.issue(tmp_path / "client"))))
    assert said in error.message
    assert str(error.hint) == f"openssl s_client -connect {served} </dev/null | openssl x509 -noout {hint}"


def test_an_engine_of_another_authority_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    served = serve(tls=server_context(Authority().issue(tmp_path / "server")))
    own = Authority().issue(tmp_path / "client")
    error = refused(endpoint(served, tls=client_tls(own)))
    assert f"its certificate is not signed by {own}/ca.pem" in error.message
    assert error.hint == "set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem"


def test_a_client_certificate_that_is_missing_or_refused_is_told(serve: Serve, tmp_path: Path) -> None:
    authority = Authority()
    folder = authority.issue(tmp_path / "server")
    served = serve(tls=server_context(folder))
    missing = refused(endpoint(served, tls=Tls(verify=True, ca=f"{folder}/ca.pem")))
    assert "client certificate" in missing.message
    assert missing.hint == "set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem"
    other = Authority("another").issue(tmp_path / "other")
    strange = Tls(True, f"{folder}/ca.pem", f"{other}/cert.pem", f"{other}/key.pem")
    assert f"client certificate {other}/cert.pem" in refused(endpoint(served, tls=strange)).message


def test_tls_to_an_engine_without_it_names_the_setting(serve: Serve) -> None:
    error = refused(endpoint(serve(), tls=Tls(verify=False)))
    assert "TLS was asked for, and it does not speak TLS" in error.message
    assert error.hint == "unset DOCKER_TLS_VERIFY and DOCKER_TLS"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "ca.pem").unlink(), r"ca\.pem cannot be read: no such file"),
        (lambda folder: (folder / "ca.pem").write_text(""), r"ca\.pem holds no certificate in PEM form"),
        (lambda folder: (folder / "key.pem").write_text("x"), r"key\.pem are no certificate with its key"),
    ],
)
def test_a_file_that_is_missing_or_broken_is_named_before_anything_is_sent(
    tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    folder = Authority().issue(tmp_path / "client")
    damage(folder)
    with pytest.raises(EngineUnreachable, match=said):
        spoken(endpoint("127.0.0.1:1", tls=client_tls(folder)))


@pytest.mark.parametrize(("kept", "missing"), [("cert", "key"), ("key", "cert")])
def test_half_a_client_certificate_is_no_certificate(tmp_path: Path, kept: str, missing: str) -> None:
    folder = Authority().issue(tmp_path / "client")
    half = Tls(verify=False, **{kept: f"{folder}/{kept}.pem"})
    with pytest.raises(EngineUnreachable, match=rf"has {kept}\.pem but no {missing}\.pem"):
        spoken(endpoint("127.0.0.1:1", tls=half))
