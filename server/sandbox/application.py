"""The sandbox's WSGI application: moto, and one path of our own that tells when the account is seeded."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: No bucket can have this name, so the path takes nothing away from S3.
HEALTH_PATH: Final = "/_sandbox/health"


class SandboxApplication:
    """Forward everything to moto but the health path, which answers 503 until ``seeded`` is set."""

    def __init__(self, moto: WSGIApplication) -> None:
        self._moto = moto
        self.seeded = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") != HEALTH_PATH:
            return self._moto(environ, start_response)
        status = HTTPStatus.OK if self.seeded.is_set() else HTTPStatus.SERVICE_UNAVAILABLE
        body = b'{"status":"ok"}' if self.seeded.is_set() else b'{"status":"seeding"}'
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]


def moto_application() -> WSGIApplication:
    """Return moto's server application, which serves every service that it knows."""
    from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs] - moto ships none
        DomainDispatcherApplication,
        create_backend_app,
    )

    create = cast("Callable[[str], Any]", create_backend_app)
    return cast("WSGIApplication", DomainDispatcherApplication(create))
