from __future__ import annotations

from pathlib import Path

from mcpctl.host import certificates


def pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def test_the_named_bundle_wins(tmp_path: Path):
    named = tmp_path / "ca.pem"
    named.write_text("")
    assert certificates.bundle({"SSL_CERT_FILE": str(named)}) == named


def test_an_empty_or_missing_name_falls_back_to_the_usual_places():
    usual = certificates.bundle({})
    assert certificates.bundle({"SSL_CERT_FILE": ""}) == usual
    assert certificates.bundle({"SSL_CERT_FILE": "/no/such/file"}) == usual


def test_only_unknown_certificates_are_given_once_and_rewrapped():
    long = "A" * 100
    trusted = "# a comment\n" + pem("B") + pem(long) + pem("A" * 50 + "\n" + "A" * 50)
    assert certificates.missing(trusted, pem("B")) == (pem("A" * 64 + "\n" + "A" * 36),)
