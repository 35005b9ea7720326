from __future__ import annotations

from pathlib import Path

import pytest

from mcpctl.errors import McpctlError
from mcpctl.host import apt_sources
from mcpctl.host.distribution import Host

DEBIAN = Host(id="debian", family=("debian",), version="12", codename="bookworm")
UBUNTU = Host(id="ubuntu", family=("ubuntu", "debian"), version="24.04", codename="noble")
DEB822 = """\
Types: deb
# the first archive
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
"""


def put(root: Path, name: str, text: str) -> None:
    path = root / "etc/apt" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(root: Path, host: Host = DEBIAN) -> list[str]:
    archive = apt_sources.archive(host, root)
    assert archive is not None
    return [f"{source.uri} {source.suite}" for source in archive.sources]


def test_deb822_sources_are_read_release_first(tmp_path: Path):
    put(tmp_path, "sources.list.d/debian.sources", DEB822)
    assert read(tmp_path) == [
        "http://mirror.example/debian bookworm",
        "http://mirror.example/debian bookworm-updates",
        "http://mirror.example/debian-security bookworm-security",
    ]


def test_one_line_sources_are_read(tmp_path: Path):
    put(
        tmp_path,
        "sources.list",
        "# deb http://old.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] https://a.example/debian bookworm main #\n"
        "deb-src https://a.example/debian bookworm main\n",
    )
    assert read(tmp_path) == ["https://a.example/debian bookworm"]


@pytest.mark.parametrize(
    "line",
    [
        "deb https://download.docker.example/linux/debian bookworm stable",
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://apt.vendor.example/debian bookworm main",
        "deb https://apt.vendor.example bookworm main",
        "deb http://deb.example/debian trixie main",
    ],
)
def test_another_vendors_archive_is_not_the_distributions(tmp_path: Path, line: str):
    put(tmp_path, "sources.list", line)
    with pytest.raises(McpctlError, match="names no archive of debian bookworm"):
        read(tmp_path)


def test_a_disabled_source_is_not_used(tmp_path: Path):
    put(tmp_path, "sources.list.d/debian.sources", "Enabled: no\n" + DEB822.split("\n\n", maxsplit=1)[0])
    with pytest.raises(McpctlError, match="names no archive"):
        read(tmp_path)


def test_a_mirror_file_is_followed_to_its_first_address(tmp_path: Path):
    put(
        tmp_path,
        "sources.list.d/debian.sources",
        DEB822.replace("http://mirror.example/debian\n", "mirror+file:///etc/apt/mirrors/debian.list\n"),
    )
    put(
        tmp_path,
        "mirrors/debian.list",
        "# nearest\nhttps://near.example/debian priority:1\nhttps://far.example/debian\n",
    )
    assert read(tmp_path)[0] == "https://near.example/debian bookworm"


def test_ubuntu_needs_universe_for_its_venv_package(tmp_path: Path):
    put(tmp_path, "sources.list", "deb http://de.archive.example/ubuntu/ noble main restricted\n")
    archive = apt_sources.archive(UBUNTU, tmp_path)
    assert archive is not None
    assert archive.distribution == "ubuntu"
    assert archive.components == "main,universe"
    assert (
        archive.one_line("/k.gpg")
        == "deb [signed-by=/k.gpg] http://de.archive.example/ubuntu/ noble main universe\n"
    )


def test_a_debian_derivative_without_a_known_archive_has_none(tmp_path: Path):
    assert apt_sources.archive(Host(id="fedora", family=("fedora",), codename="x"), tmp_path) is None


def test_broken_sources_do_not_break_reading(tmp_path: Path):
    put(tmp_path, "sources.list.d/odd.sources", "nonsense\n\n: \nTypes: deb\n")
    put(tmp_path, "sources.list", "deb\ndeb only-a-uri\ndeb http://mirror.example/debian bookworm main\n")
    assert read(tmp_path) == ["http://mirror.example/debian bookworm"]
