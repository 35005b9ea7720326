"""Say why nobody answers at an endpoint, in words that help, and what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcpctl.errors import EngineUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.engine.types import Endpoint

SHORT = ("No such file or directory", "Connection refused", "Permission denied", "timed out")

CUT_OFF = (ConnectionResetError, BrokenPipeError)
"""``http.client.RemoteDisconnected`` is one of them."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The reason, and a command or setting that mends it."""

    reason: str
    hint: str


class SshFailed(OSError):
    """The ssh program did not get through; carries its own words."""

    def __init__(self, said: str, hint: str | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.hint = hint


def unreachable(endpoint: Endpoint, cause: Cause) -> EngineUnreachable:
    """Say which endpoint was tried, why that one, what went wrong and what to type."""
    return EngineUnreachable(
        f"no Docker Engine answers at {endpoint.url} ({endpoint.reason}): {cause.reason}",
        hint=cause.hint,
        details={"endpoint": endpoint.url, "chosen_by": endpoint.reason},
    )


def find_cause(endpoint: Endpoint, error: BaseException) -> Cause:
    """Find what is behind an error of the SDK or of the libraries below it."""
    import ssl

    inner = tuple(_all_behind(error))
    for item in inner:
        if isinstance(item, SshFailed):
            return _of_ssh(endpoint, item)
    for item in inner:
        if isinstance(item, ssl.SSLError):
            return _of_cut(endpoint) if isinstance(item, ssl.SSLEOFError) else _of_tls(endpoint, item)
    if endpoint.url.startswith("tcp://") and any(isinstance(item, CUT_OFF) for item in inner):
        return _of_cut(endpoint)
    reason = _short(str(error)) or type(error).__name__
    if "Permission denied" in reason:
        return Cause(reason, "run as root, or: sudo usermod -aG docker $USER && newgrp docker")
    if endpoint.url.startswith("unix://"):
        return Cause(reason, "mcpctl engine start")
    return Cause(reason, f"check {endpoint.reason}, or name another engine with --host")


def no_answer(endpoint: Endpoint, seconds: float) -> Cause:
    """Say that somebody is there who says nothing: nothing below has an error to tell."""
    reason = f"it takes connections but gave no answer within {seconds:g} s"
    if endpoint.url.startswith("ssh://"):
        return Cause(reason, f"ssh {_ssh_target(endpoint)} docker version")
    if endpoint.url.startswith("unix://"):
        return Cause(reason, "see what the daemon does: journalctl -u docker -n 30, or restart it")
    return Cause(reason, f"check {endpoint.reason}, or name another engine with --host")


def timed_out(error: BaseException) -> bool:
    """Tell whether an answer was too long in coming; in a stream that hides in a ConnectionError."""
    from requests import exceptions as http
    from urllib3 import exceptions as pool

    kinds = (http.Timeout, pool.TimeoutError, TimeoutError)
    return isinstance(error, kinds) or any(isinstance(inner, kinds) for inner in error.args)


def _all_behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it wraps: the HTTP libraries keep them in arguments and attributes."""
    queue, seen = [error], set[int]()
    while queue:
        item = queue.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        wrapped = (*item.args, getattr(item, "reason", None), item.__cause__, item.__context__)
        queue += [each for each in wrapped if isinstance(each, BaseException)]


def _short(text: str) -> str:
    for known in SHORT:
        if known in text:
            return known.lower() if known != "Permission denied" else known
    return text


def certificates_hint(endpoint: Endpoint) -> str:
    """Name what decides which certificates are used."""
    if endpoint.context:
        return f"docker context inspect {endpoint.context}, or make it anew with ca=, cert= and key="
    return "set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem"


def plain_on_tls(endpoint: Endpoint) -> Cause:
    """Say that the engine wants TLS and was spoken to without."""
    if endpoint.context:
        return Cause("it wants TLS, and the context has none", certificates_hint(endpoint))
    return Cause("it wants TLS, and none was asked for", "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH")


def _of_cut(endpoint: Endpoint) -> Cause:
    """Guess why a TCP connection was cut before its first answer: it mostly is a matter of TLS."""
    if endpoint.tls is None:
        hint = "if it wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
        return Cause("it closed the connection without an answer", hint)
    own = endpoint.tls.cert
    guess = f"may refuse the client certificate {own}" if own else "may want a client certificate"
    return Cause(f"it ended the TLS connection without a reason: it {guess}", certificates_hint(endpoint))


def _of_tls(endpoint: Endpoint, error: Exception) -> Cause:
    text = str(error)
    folded = text.replace("_", " ").lower()
    if "certificate verify failed" in folded:
        return _of_server_certificate(endpoint, text)
    if any(mark in folded for mark in ("wrong version number", "record layer failure", "http request")):
        hint = certificates_hint(endpoint) if endpoint.context else "unset DOCKER_TLS_VERIFY and DOCKER_TLS"
        return Cause("TLS was asked for, and it does not speak TLS", hint)
    own = endpoint.tls.cert if endpoint.tls else None
    if "alert" in folded and own is None:
        return Cause("it wants a client certificate, and there is none", certificates_hint(endpoint))
    if "alert" in folded:
        return Cause(
            f"it refused the client certificate {own}: {text}", f"openssl x509 -noout -text -in {own}"
        )
    return Cause(f"TLS failed: {text}", certificates_hint(endpoint))


def _of_server_certificate(endpoint: Endpoint, text: str) -> Cause:
    address = urlsplit(endpoint.url).netloc
    look = f"openssl s_client -connect {address} </dev/null | openssl x509 -noout"
    if "expired" in text:
        return Cause("its certificate has expired", f"{look} -dates")
    if "not yet valid" in text:
        return Cause("its certificate is not valid yet", f"{look} -dates")
    if "mismatch" in text:
        return Cause(
            f"its certificate is not for {urlsplit(endpoint.url).hostname}", f"{look} -ext subjectAltName"
        )
    ca = endpoint.tls.ca if endpoint.tls else None
    signer = ca or "an authority that this machine trusts"
    return Cause(f"its certificate is not signed by {signer}", certificates_hint(endpoint))


def _of_ssh(endpoint: Endpoint, error: SshFailed) -> Cause:
    said, target = error.said, _ssh_target(endpoint)
    hint = error.hint or f"ssh {target} docker version"
    if "Host key verification failed" in said:
        hint = f"ssh {target}, compare the fingerprint and answer yes"
    elif "Permission denied (" in said:
        hint = f"ssh-add, or ssh-copy-id {target}"
    elif "not found" in said and "docker" in said:
        hint = f"install the Docker CLI there; ssh {target} docker version"
    elif "permission denied" in said.lower():
        hint = f"ssh {target} 'sudo usermod -aG docker $USER'"
    return Cause(f"ssh: {said}", hint)


def _ssh_target(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.url)
    user = f"{parts.username}@" if parts.username else ""
    port = f"-p {parts.port} " if parts.port else ""
    return f"{port}{user}{parts.hostname}"
