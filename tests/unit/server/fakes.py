"""Tools with a purpose of their own for tests of what surrounds tools."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pydantic import Field

from server.registry import Annotations, Call, Parameters, Registry, Result, Tool


class EchoParameters(Parameters):
    text: str = Field(default="", max_length=1000)
    times: int = 1


class Echo(Result):
    text: str
    caller: str


def echo(call: Call, params: EchoParameters) -> Echo:
    return Echo(text=params.text * params.times, caller=call.caller)


def tool(name: str, function: Callable[[Call, Any], Echo] = echo, **annotations: bool) -> Tool[Any, Any]:
    return Tool(name, "A title", "A description.", EchoParameters, Echo, function, Annotations(**annotations))


def catalogue(*tools: Tool[Any, Any]) -> Callable[[], Registry]:
    def make() -> Registry:
        registry = Registry()
        for each in tools:
            registry.add(each)
        return registry

    return make


def raising(error: BaseException) -> Callable[[Call, Any], Echo]:
    def fail(call: Call, params: EchoParameters) -> Echo:
        raise error

    return fail


class Gate:
    """A tool function that tells when it has started and ends when it is let go."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.opened = threading.Event()

    def __call__(self, call: Call, params: EchoParameters) -> Echo:
        self.started.set()
        assert self.opened.wait(20)
        return Echo(text="done", caller=call.caller)
