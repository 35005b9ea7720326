"""TLS to an engine over TCP: exactly the named certificates, whatever the environment trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3  # noqa: TID253 - this module is loaded for an endpoint with TLS alone
from requests.adapters import HTTPAdapter  # noqa: TID253 - as above

from mcpctl.engine.causes import Cause, certificates_hint, unreachable

if TYPE_CHECKING:
    from mcpctl.engine.types import Endpoint, Tls


class TlsAdapter(HTTPAdapter):
    """Connects with one context that was made from the endpoint's files."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._context = make_context(endpoint)
        if endpoint.tls and not endpoint.tls.verify:
            # chosen by the endpoint's own settings: a warning at each call would say nothing new
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make every connection with the endpoint's context."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make connections through a proxy with it too."""
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing to the context: the SDK's default would trust every public authority."""


def make_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Read the endpoint's certificates.

    Raises:
        EngineUnreachable: a file is missing, cannot be read, or does not fit the others.
    """
    tls = endpoint.tls
    if tls is None:
        raise ValueError("an endpoint without TLS has no context")
    for name in filter(None, (tls.ca if tls.verify else None, tls.cert, tls.key)):
        try:
            Path(name).read_bytes()
        except OSError as error:
            reason = f"TLS file {name} cannot be read: {(error.strerror or str(error)).lower()}"
            raise unreachable(endpoint, Cause(reason, certificates_hint(endpoint))) from error
    if bool(tls.cert) != bool(tls.key):
        found, missing = ("cert.pem", "key.pem") if tls.cert else ("key.pem", "cert.pem")
        folder = Path(tls.cert or tls.key or "").parent
        reason = f"{folder} has {found} but no {missing}"
        raise unreachable(endpoint, Cause(reason, certificates_hint(endpoint)))
    return _context(endpoint, tls)


def _context(endpoint: Endpoint, tls: Tls) -> ssl.SSLContext:
    doing = f"{tls.ca} holds no certificate in PEM form"
    try:
        if tls.verify:
            context = ssl.create_default_context(cafile=tls.ca)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if tls.cert and tls.key:
            doing = f"{tls.cert} and {tls.key} are no certificate with its key"
            # without a password the library would ask for one on the terminal
            context.load_cert_chain(tls.cert, tls.key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise unreachable(endpoint, Cause(f"{doing}: {error}", certificates_hint(endpoint))) from error
    return context
