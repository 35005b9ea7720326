"""Start the sandbox: ``python -m server.sandbox --host 127.0.0.1 --port 5000``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from server.observe.logs import configure, event
from server.sandbox.application import SandboxApplication, moto_application
from server.sandbox.seed import seed
from server.security.redaction import Redactor
from server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

logger = logging.getLogger("server.sandbox")


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; return 0 then, 1 when the port is taken or seeding fails."""
    parser = argparse.ArgumentParser(
        prog="python -m server.sandbox", description="Serve a pretended AWS account."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="serve once on a free port, seed, and exit")
    options = parser.parse_args(arguments)
    configure(Settings(), Redactor())
    _hide_credentials()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_end, ended))
    if options.check:
        ended.set()
        return _serve("127.0.0.1", 0, ended)
    return _serve(options.host, options.port, ended)


def _serve(host: str, port: int, ended: threading.Event) -> int:
    from werkzeug.serving import make_server

    application = SandboxApplication(moto_application())
    try:
        server = make_server(host, port, application, threaded=True)
    except OSError as error:
        event(logger, logging.ERROR, f"cannot listen on {host}:{port}: {error.strerror}")
        return 1
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    try:
        seed(f"http://127.0.0.1:{server.port}")
    except Exception:
        logger.exception("the account could not be seeded")
        return 1
    application.seeded.set()
    event(logger, logging.INFO, "ready", host=host, port=server.port)
    ended.wait()
    server.shutdown()
    return 0


def _end(ended: threading.Event, number: int, frame: FrameType | None) -> None:
    ended.set()


def _hide_credentials() -> None:
    """Forget the caller's AWS variables: nothing here may ever be signed with real keys."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
