from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcpctl.host import ports

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1", "::"])
def listening(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    address: str = request.param
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        yield address, server.getsockname()[1]


def test_the_process_that_listens_is_named(listening: tuple[str, int]):
    address, port = listening
    found = ports.holder(port)
    assert found is not None
    assert (found.pid, found.address) == (os.getpid(), address)
    assert found.process == Path("/proc/self/comm").read_text().strip()
    assert found.command == Path("/proc/self/cmdline").read_text().replace("\0", " ").strip()


def test_a_port_that_is_listened_on_is_not_free(listening: tuple[str, int]):
    assert not ports.is_free(*listening)


def test_a_port_is_free_once_its_server_is_gone():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port: int = server.getsockname()[1]
    assert ports.is_free("127.0.0.1", port)
    assert ports.holder(port) is None


def test_a_listener_on_another_address_does_not_collide():
    with socket.socket() as server:
        server.bind(("127.0.0.2", 0))
        server.listen()
        port: int = server.getsockname()[1]
        assert ports.holder(port, "127.0.0.1") is None
        assert ports.holder(port, "0.0.0.0") is not None


def test_a_process_that_cannot_be_looked_into_is_still_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "net").mkdir()
    header = "  sl  local_address rem_address   st\n"
    row = (
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1\n"
    )
    (tmp_path / "net/tcp").write_text(header + row)
    monkeypatch.setattr(ports, "PROC", tmp_path)
    assert ports.holder(8080) == ports.Holder(None, "a process of another user", "127.0.0.1")


def test_a_connection_from_the_port_is_no_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "net").mkdir()
    row = "   0: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000 0 0 4242 1\n"
    (tmp_path / "net/tcp").write_text(f"header\n{row}")
    monkeypatch.setattr(ports, "PROC", tmp_path)
    assert ports.holder(8080) is None
