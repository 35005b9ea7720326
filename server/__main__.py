"""Start the tool service: ``python -m server --host 127.0.0.1 --port 8000``."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import sys
from typing import TYPE_CHECKING, Final

from server import __version__
from server.observe.logs import configure, event
from server.security.redaction import Redactor
from server.settings import Settings, SettingsError, drop_empty, load

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger("server")
_USAGE: Final = 2
_SECRET_VARIABLES: Final = ("MCP_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def main(arguments: Sequence[str]) -> int:
    """Run the service and return its exit code: 0 ended, 1 could not serve, 2 settings."""
    options = _options(arguments)
    redactor = Redactor()
    redactor.learn(*(os.environ.get(name) for name in _SECRET_VARIABLES))
    drop_empty(os.environ)
    try:
        settings = load(os.environ)
    except SettingsError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        print(redactor.text(f"the service cannot start, its settings are wrong:\n{lines}"), file=sys.stderr)  # noqa: T201 - before logging exists
        return _USAGE
    configure(settings, redactor)
    if options.check:
        return _check(settings, redactor)
    _announce(settings, options.host, options.port)
    return _serve(settings, redactor, options)


def _serve(settings: Settings, redactor: Redactor, options: argparse.Namespace) -> int:
    from server.serving import listen, serve

    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        event(
            logger, logging.ERROR, f"cannot listen on {where}: {error.strerror}", hint="choose another --port"
        )
        return 1
    from server.app import create_app

    return serve(create_app(settings, redactor), settings, listener)


def _check(settings: Settings, redactor: Redactor) -> int:
    from server.app import create_app
    from server.loading import load as load_tools

    create_app(settings, redactor)
    tools = load_tools(settings, redactor).executor.registry
    print(f"ok: {len(tools)} tools")  # noqa: T201 - the answer of --check
    return 0


def _announce(settings: Settings, host: str, port: int) -> None:
    event(logger, logging.INFO, "starting", version=__version__, host=host, port=port)
    if settings.auth_token is None and not _loopback(host):
        event(
            logger,
            logging.WARNING,
            f"anybody who reaches {host}:{port} may call every tool",
            hint="set MCP_AUTH_TOKEN, or publish the port on a loopback address only",
        )
    for name in settings.ignored:
        event(logger, logging.WARNING, f"{name} is set but this version does not read it")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m server", description="Serve AWS tools over HTTP and MCP."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="check the settings, load every tool, and exit")
    parser.add_argument("--version", action="version", version=__version__)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    from server.serving import leave

    leave(main(sys.argv[1:]))
