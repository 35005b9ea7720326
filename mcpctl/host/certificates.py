"""Find the certificate authorities that this machine trusts, and those that a fresh system does not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def bundle(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Give the CA bundle in use: ``SSL_CERT_FILE``, else the first usual place that exists."""
    places = (environment.get("SSL_CERT_FILE") or "", *BUNDLES)
    return next((Path(place) for place in places if place and Path(place).is_file()), None)


def missing(trusted: str, known: str) -> tuple[str, ...]:
    """Give the certificates in ``trusted`` that ``known`` lacks, each as PEM."""
    there = {"".join(body.split()) for body in _PEM.findall(known)}
    bodies = dict.fromkeys("".join(body.split()) for body in _PEM.findall(trusted))
    return tuple(_pem(body) for body in bodies if body not in there)


def _pem(body: str) -> str:
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
