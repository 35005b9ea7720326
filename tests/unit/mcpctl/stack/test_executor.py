"""Plans run side by side where they may, stop at the first failure, and end in order when interrupted."""

from __future__ import annotations

import os
import signal
import threading
from threading import Barrier, Event
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpctl.errors import EngineFailed, McpctlError, PortTaken, Unhealthy
from mcpctl.stack import failures
from mcpctl.stack.executor import execute
from mcpctl.stack.steps import Step
from tests.unit.mcpctl.stack.world import Silence

BOUND = 20.0


def step(name: str, *needs: str) -> Step:
    return Step(name, "start container", name, ("a test",), needs)


def test_independent_steps_run_side_by_side() -> None:
    together = Barrier(3)

    def perform(_item: Step) -> None:
        together.wait(BOUND)

    execute((step("a"), step("b"), step("c")), perform, Silence())
    assert not together.broken


@given(st.lists(st.sets(st.integers(0, 20), max_size=4), max_size=12))
def test_no_step_runs_before_those_it_needs(edges: list[set[int]]) -> None:
    plan = tuple(
        step(str(index), *(str(need) for need in sorted(needs) if need < index))
        for index, needs in enumerate(edges)
    )
    done: list[str] = []
    lock = threading.Lock()

    def perform(item: Step) -> None:
        with lock:
            assert set(item.needs) <= set(done)
            done.append(item.id)

    execute(plan, perform, Silence())
    assert sorted(done) == sorted(item.id for item in plan)


def test_after_a_failure_nothing_new_starts_and_what_runs_is_awaited() -> None:
    heard = Silence()
    failed, finished = Event(), Event()

    def perform(item: Step) -> None:
        if item.id == "bad":
            failed.set()
            raise ValueError("bad")
        failed.wait(BOUND)
        finished.set()

    with pytest.raises(ValueError, match="bad"):
        execute((step("bad"), step("slow"), step("later", "slow")), perform, heard)
    assert finished.is_set()
    assert "failed bad: bad" in heard.heard
    assert "finished slow" in heard.heard
    assert "started later" not in heard.heard


def test_a_failure_cuts_short_what_only_waits() -> None:
    cancelled = Event()

    def perform(item: Step) -> None:
        if item.id == "bad":
            raise ValueError("bad")
        assert cancelled.wait(BOUND), "the wait was not cut short"

    with pytest.raises(ValueError, match="bad"):
        execute((step("bad"), step("waiting")), perform, Silence(), cancelled.set)


def test_failures_at_the_same_time_are_all_told() -> None:
    together = Barrier(3)
    errors: dict[str, McpctlError] = {
        "a": PortTaken("port 1 is taken", hint="free port 1", details={"port": 1}),
        "b": EngineFailed("no space"),
        "c": EngineFailed("no space"),
    }

    def perform(item: Step) -> None:
        together.wait(BOUND)
        raise errors[item.id]

    with pytest.raises(EngineFailed) as caught:
        execute((step("a"), step("b"), step("c")), perform, Silence())
    assert sorted(caught.value.message.split("; ")) == ["no space", "port 1 is taken"]
    assert caught.value.hint == "free port 1"
    told = cast("list[dict[str, object]]", caught.value.details["failures"])
    assert sorted(str(item["code"]) for item in told) == ["engine_failed", "port_taken"]


def test_a_bug_beside_a_failure_goes_first() -> None:
    together = Barrier(2)

    def perform(item: Step) -> None:
        together.wait(BOUND)
        raise {"a": EngineFailed("no"), "b": ZeroDivisionError("a bug")}[item.id]

    with pytest.raises(ZeroDivisionError):
        execute((step("a"), step("b")), perform, Silence())


def test_the_culprits_of_several_that_are_unhealthy_stand_in_one_list() -> None:
    one, other = (Unhealthy(name, details={"containers": [{"service": name}]}) for name in "ab")
    found = failures.together([one, other])
    assert isinstance(found, Unhealthy)
    assert found.details["containers"] == [{"service": "a"}, {"service": "b"}]


def test_the_first_of_several_failures_is_told() -> None:
    first = Event()

    def perform(item: Step) -> None:
        if item.id == "second":
            first.wait(BOUND)
        first.set()
        raise ValueError(item.id)

    with pytest.raises(ValueError, match=r"first|second"):
        execute((step("first"), step("second")), perform, Silence())


def test_steps_that_can_never_run_are_a_mistake_that_shows() -> None:
    with pytest.raises(AssertionError, match="lonely"):
        execute((step("lonely", "nobody"),), lambda _step: None, Silence())


def test_an_empty_plan_does_nothing() -> None:
    heard = Silence()
    execute((), lambda _step: None, heard)
    assert heard.heard == []


class Ended(BaseException):
    """What the test's own handler raises."""


def _end(_number: int, _frame: object) -> None:
    raise Ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cuts_waits_short_lets_work_end_and_starts_nothing_new(number: signal.Signals) -> None:
    cancelled, heard = Event(), Silence()

    def perform(_item: Step) -> None:
        os.kill(os.getpid(), number)
        assert cancelled.wait(BOUND), "the wait was not cut short"

    former = signal.signal(number, _end)
    try:
        with pytest.raises(Ended):
            execute((step("waiting"), step("later", "waiting")), perform, heard, cancelled.set)
        assert signal.getsignal(number) is _end
    finally:
        signal.signal(number, former)
    assert heard.heard == ["started waiting", "finished waiting"]


def test_a_second_signal_acts_at_once() -> None:
    twice = Event()

    def perform(_item: Step) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert twice.wait(BOUND)

    def cancel() -> None:
        twice.set()
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        execute((step("waiting"),), perform, Silence(), cancel)


def test_a_plan_may_run_outside_the_main_thread() -> None:
    heard = Silence()
    thread = threading.Thread(target=execute, args=((step("a"),), lambda _step: None, heard))
    thread.start()
    thread.join(BOUND)
    assert heard.heard == ["started a", "finished a"]
