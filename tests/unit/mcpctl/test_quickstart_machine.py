"""No engine: who may start one, and the way out where none can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.types import Endpoint, EngineInfo
from mcpctl.errors import EngineUnreachable
from mcpctl.quickstart import machine

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT = Endpoint("unix:///var/run/docker.sock", "the default socket; no other was found")
NAMED = Endpoint("tcp://192.0.2.1:2375", "DOCKER_HOST")
INFO = EngineInfo(DEFAULT, "27.1", "1.46", "Debian", "/var/lib/docker", "overlay2", 2, 10**9, 0)


class Machine:
    """An engine that answers once it was installed and started, if it can be."""

    def __init__(
        self, endpoint: Endpoint = DEFAULT, *, answers: bool = False, can_be_had: bool = True
    ) -> None:
        self.endpoint = endpoint
        self.answers = answers
        self.can_be_had = can_be_had
        self.asked: list[str] = []

    def info(self) -> EngineInfo:
        if not self.answers:
            raise EngineUnreachable(f"no Docker Engine answers at {self.endpoint.url}", hint="start it")
        return INFO

    def install(self, _report: Callable[[str], None]) -> None:
        self.asked.append("install")
        if not self.can_be_had:
            raise EngineUnreachable("no apt-get here", hint="sudo dnf install -y docker")
        self.answers = True

    def consent(self, answer: bool) -> Callable[[], bool]:
        def ask() -> bool:
            self.asked.append("consent")
            return answer

        return ask


def ensure(engine: Machine, monkeypatch: pytest.MonkeyPatch, *, consent: bool) -> EngineInfo:
    monkeypatch.setattr(machine, "install_and_start", engine.install)
    return machine.ensure_engine(engine, engine.consent(consent), lambda _line: None)  # type: ignore[arg-type] - all it needs of an engine


def test_an_engine_that_answers_is_taken_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Machine(answers=True)
    assert ensure(engine, monkeypatch, consent=False) == INFO
    assert engine.asked == []


def test_with_consent_one_is_installed_and_started(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Machine()
    assert ensure(engine, monkeypatch, consent=True) == INFO
    assert engine.asked == ["consent", "install"]


def test_without_consent_the_way_without_an_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Machine()
    with pytest.raises(EngineUnreachable) as caught:
        ensure(engine, monkeypatch, consent=False)
    assert engine.asked == ["consent"]
    assert caught.value.hint is not None
    assert [line.strip() for line in caught.value.hint.splitlines()] == [
        "start it",
        "without an engine: mcpctl serve --sandbox",
    ]


def test_where_none_can_be_installed_both_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Machine(can_be_had=False)
    with pytest.raises(EngineUnreachable, match="no apt-get here") as caught:
        ensure(engine, monkeypatch, consent=True)
    assert caught.value.hint is not None
    assert [line.strip() for line in caught.value.hint.splitlines()] == [
        "sudo dnf install -y docker",
        "without an engine: mcpctl serve --sandbox",
    ]


def test_an_engine_named_by_hand_is_never_replaced_by_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Machine(NAMED)
    with pytest.raises(EngineUnreachable, match=NAMED.url):
        ensure(engine, monkeypatch, consent=True)
    assert engine.asked == []
