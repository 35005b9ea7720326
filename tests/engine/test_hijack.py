"""Raw streams over each kind of connection: every byte both ways, and the end of input handed on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.client import Engine
from mcpctl.engine.execs import ExecSpec, create_exec, exit_code
from mcpctl.engine.hijack import open_exec
from mcpctl.engine.relay import Relay
from mcpctl.engine.signals import Signals
from mcpctl.engine.types import Endpoint, Tls
from tests.engine.tls_proxy import TlsProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def over_tls(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they must not be trusted in place of its own
        monkeypatch.setenv(name, os.devnull)
    proxy = TlsProxy(tmp_path, engine.endpoint.url.removeprefix("unix://"))
    tls = Tls(verify=True, ca=str(proxy.certificate))
    made = Engine(Endpoint(f"tcp://{proxy.url}", "a test", tls=tls))
    yield made
    made.api.close()
    proxy.close()


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
@pytest.mark.parametrize("kind", ["engine", "over_tls"])
def test_every_byte_comes_back_and_the_end_of_input_ends_the_command(
    kind: str, size: int, container: Callable[..., str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine: Engine = request.getfixturevalue(kind)
    given, found = os.urandom(size), bytearray()
    (tmp_path / "given").write_bytes(given)
    exec_id = create_exec(engine, ExecSpec(container("sleep", "600", HostConfig={"Init": True}), ("cat",)))
    connection = open_exec(engine, exec_id, tty=False)
    try:
        with (tmp_path / "given").open("rb") as file, Signals({}) as signals:
            Relay(connection, file.fileno(), lambda _stream, data: found.extend(data), framed=True).run(
                signals
            )
    finally:
        connection.close()
    assert found == given
    assert exit_code(engine, exec_id) == 0
