"""A CA bundle is checked before a build begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine.certificate_bundle import LARGEST, read_bundle
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBkDCCATWgAwIBAgIUWUtOLe/Dh2PUg1K2AusAT5s27TYwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRbWNwY3RsIHRlc3QgcHJveHkwIBcNMjYxMTIzMDIwNDM3WhgP
MjEyNjEwMzAwMjA0MzdaMBwxGjAYBgNVBAMMEW1jcGN0bCB0ZXN0IHByb3h5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4rJWTnMaX4bU9JbLDUYJC+vhRDl3Zb6t
79pP3Bjx2kxtV9EGRxMsXDnZFJJOzwO35Iz82uSYF0b3MCNkLyNbtaNTMFEwHQYD
VR0OBBYEFHesHPCuz9QWiNNKQGQim7sqZNLbMB8GA1UdIwQYMBaAFHesHPCuz9QW
iNNKQGQim7sqZNLbMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh
ANn5qtIVlMaki7fNBNYJUgsU2EOuWdWWM1vSSbnALaeeAiEAhfxudQgvXZAR5pP/
ZIU+IfAY+eXMkpFmbh6ML2J1zik=
-----END CERTIFICATE-----
"""
"""A self-signed authority, good until 2126."""


def test_a_bundle_is_given_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(f"# the proxy\n{CERTIFICATE}{CERTIFICATE}")
    assert read_bundle(file) == file.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no certificate"),
        (b"hello", "no certificate"),
        (CERTIFICATE.replace("MIIB", "MIIA").encode(), "no certificate"),
        (b"-----BEGIN PRIVATE KEY-----\n" + CERTIFICATE.encode(), "private key"),
        (b"\xff\xfe", "it is no text"),
        (CERTIFICATE.encode() + b"#" * LARGEST, "more than a build argument can hold"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_name(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as raised:
        read_bundle(file)
    assert str(file) in raised.value.message


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_bundle(tmp_path / "ca.pem")
