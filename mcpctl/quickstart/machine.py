"""Make the machine ready: an engine that answers, and a base image to build on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mcpctl.engine.build import pull
from mcpctl.errors import EngineFailed, EngineUnreachable
from mcpctl.host import base_image, daemon, distribution, engine_install

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Endpoint, EngineInfo

PULL_SILENCE_SECONDS = 20.0
"""How long a registry may say nothing before the base image is built here instead."""
OWN_BASE = "mcpctl/base"
"""The name of base images that we build; never looked for in a registry, where anybody could own it."""

WITHOUT_ENGINE = "without an engine: mcpctl serve --sandbox"


@dataclass(frozen=True, slots=True)
class Base:
    """The base image and how it came to be here."""

    name: str
    how: Literal["local", "pulled", "built"]

    def to_json(self) -> dict[str, object]:
        """Return the form that `quick-start` prints."""
        return {"name": self.name, "how": self.how}


def ensure_engine(engine: Engine, consent: Callable[[], bool], report: Callable[[str], None]) -> EngineInfo:
    """Return the engine's identity; install and start one where there is none and consent is given.

    Raises:
        EngineUnreachable: an engine named by hand does not answer, or none can be had (exit 5).
    """
    try:
        return engine.info()
    except EngineUnreachable as error:
        if not _is_ours_to_start(engine.endpoint):
            raise
        if not consent():
            raise _with_way_out(error) from error
    try:
        install_and_start(report)
    except EngineUnreachable as error:
        raise _with_way_out(error) from error
    return engine.info()


def install_and_start(report: Callable[[str], None]) -> None:
    """Install the distribution's engine where there is none, and start it where none answers."""
    engine_install.install(distribution.observe(), report)
    daemon.start(distribution.observe(), report=report)


def _is_ours_to_start(endpoint: Endpoint) -> bool:
    return endpoint.reason.startswith("the default socket")


def _with_way_out(error: EngineUnreachable) -> EngineUnreachable:
    hint = f"{error.hint}\n        {WITHOUT_ENGINE}" if error.hint else WITHOUT_ENGINE
    return EngineUnreachable(error.message, hint=hint, details=error.details)


def ensure_base_image(engine: Engine, name: str, report: Callable[[str], None]) -> Base:
    """Return the base image to build on: the one that is here, else pulled, else built from the archive.

    Raises:
        McpctlError: it is not here, cannot be pulled, and this distribution has no archive to build from.
    """
    if engine.find_image(name):
        return Base(name, "local")
    if not name.startswith(f"{OWN_BASE}:"):
        try:
            report(f"pulling {name}")
            pull(engine, name, report, timeout=PULL_SILENCE_SECONDS)
        except EngineFailed as error:
            report(f"{name} cannot be pulled ({error.message}); building one from the distribution's archive")
        else:
            return Base(name, "pulled")
    if built := engine.tags(OWN_BASE):
        return Base(built[0], "local")
    return _build_base(engine, report)


def _build_base(engine: Engine, report: Callable[[str], None]) -> Base:
    with base_image.from_archive(distribution.observe(), report) as base:
        engine.import_image(base.stream(), base.tag)
        return Base(base.tag, "built")
