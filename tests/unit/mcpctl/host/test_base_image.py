from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from mcpctl.errors import McpctlError
from mcpctl.host import base_image
from mcpctl.host.distribution import Host

HOST = Host(
    id="debian",
    family=("debian",),
    version="12",
    codename="bookworm",
    package_manager="apt-get",
    programs=frozenset({"debootstrap"}),
    privilege="root",
)
OURS = "-----BEGIN CERTIFICATE-----\nT1VSUw==\n-----END CERTIFICATE-----\n"
KNOWN = "-----BEGIN CERTIFICATE-----\nS05PV04=\n-----END CERTIFICATE-----\n"
FAKE = f"""\
#!/bin/sh
for root; do [ "${{root#/}}" != "$root" ] && break; done
echo "I: asked $*"
mkdir -p "$root/usr/bin" "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/dev"
mkdir -p "$root/var/lib/apt/lists" "$root/var/log"
ln -s "$FAKE_PYTHON" "$root/usr/bin/python3"
printf '%s' '{KNOWN}' > "$root/etc/ssl/certs/ca-certificates.crt"
echo "Date: Sat, 11 Jul 2026 10:16:37 UTC" > "$root/var/lib/apt/lists/mirror_Release"
echo secret > "$root/etc/hostname"; echo x > "$root/var/log/bootstrap.log"; echo x > "$root/dev/null2"
exit ${{FAKE_STATUS:-0}}
"""


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for debootstrap and chroot, and a CA bundle with one certificate of this machine."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "debootstrap").write_text(FAKE)
    (bin_ / "chroot").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/chrooted\n')
    for program in bin_.iterdir():
        program.chmod(0o755)
    (tmp_path / "bundle.pem").write_text(KNOWN + OURS)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_PYTHON", "python3.11")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bundle.pem"))
    return bin_


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


def packed(image: base_image.BaseImage) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(image.stream()))) as archive:
        return {member.name: member for member in archive}


def test_the_tag_says_what_the_image_is(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        assert image.tag == "mcpctl/base:debian-12-python3.11"


def test_the_stream_is_a_tar_with_python_certificates_and_sources(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        members = packed(image)
        certificate = (image.root / "usr/local/share/ca-certificates/host-001.crt").read_text()
        sources = (image.root / "etc/apt/sources.list").read_text()
    assert members["./usr/local/bin/python"].linkname == "/usr/bin/python3"
    assert certificate == OURS
    assert "./usr/local/share/ca-certificates/host-002.crt" not in members
    assert sources.startswith("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http")


def test_the_certificates_are_taken_up_inside(scratch: Path, tmp_path: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        assert (tmp_path / "chrooted").read_text() == f"{image.root} update-ca-certificates\n"


def test_what_belongs_to_this_machine_or_to_the_build_is_left_out(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        members = packed(image)
    assert not {
        "./etc/hostname",
        "./var/log/bootstrap.log",
        "./dev/null2",
        "./var/lib/apt/lists/mirror_Release",
    } & set(members)
    assert "./var/lib/apt/lists/partial" in members


def test_the_same_file_system_gives_the_same_bytes(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        first = b"".join(image.stream())
    with base_image.from_archive(HOST, scratch=scratch) as image:
        second = b"".join(image.stream())
        assert image.epoch == 1783764997
    assert first == second


def test_entries_are_sorted_and_no_younger_than_the_release(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        for name in ("zebra", "middle", "ant", "bee"):
            (image.root / name).write_text(name)
        os.utime(image.root / "ant", (1000, 1000))
        members = packed(image)
    added = [name for name in members if name.removeprefix("./") in {"zebra", "middle", "ant", "bee"}]
    assert added == ["./ant", "./bee", "./middle", "./zebra"]
    assert (members["./ant"].mtime, members["./bee"].mtime) == (1000, 1783764997)


def test_nothing_is_left_behind_on_success(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        assert image.root.is_dir()
    assert list(scratch.iterdir()) == []


def test_nothing_is_left_behind_when_the_archive_fails(scratch: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FAKE_STATUS", "1")
    with (
        pytest.raises(McpctlError, match=r"could not be built from http.*ended with status 1") as caught,
        base_image.from_archive(HOST, scratch=scratch),
    ):
        pytest.fail("no image was built")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("try the mirror: curl")
    assert list(scratch.iterdir()) == []


def test_nothing_is_left_behind_on_an_interrupt(scratch: Path):
    def interrupt(line: str) -> None:
        if line.startswith("I: asked"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), base_image.from_archive(HOST, interrupt, scratch=scratch):
        pytest.fail("no image was built")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("python", ["python3.10", "elsewhere"])
def test_an_old_python_is_refused(scratch: Path, monkeypatch: pytest.MonkeyPatch, python: str):
    monkeypatch.setenv("FAKE_PYTHON", python)
    with (
        pytest.raises(McpctlError, match=f"too old: {python}"),
        base_image.from_archive(HOST, scratch=scratch),
    ):
        pytest.fail("no image was built")
    assert list(scratch.iterdir()) == []


def test_a_stream_given_up_half_way_ends_its_tar(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        (image.root / "big").write_bytes(b"x" * 8 * base_image.CHUNK_BYTES)
        stream = image.stream()
        assert next(iter(stream))
        stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert list(scratch.iterdir()) == []


def test_a_failing_tar_is_an_error_and_no_short_image(scratch: Path):
    with base_image.from_archive(HOST, scratch=scratch) as image:
        gone = replace(image, root=scratch / "gone")
        with pytest.raises(McpctlError, match="tar ended with status 2"):
            b"".join(gone.stream())


def test_another_distribution_is_told_to_bring_an_image(scratch: Path):
    with pytest.raises(McpctlError) as caught, base_image.from_archive(Host(id="fedora"), scratch=scratch):
        pytest.fail("no image was built")
    assert caught.value.hint is not None
    assert "MCP_BASE_IMAGE" in caught.value.hint


def test_without_root_nothing_is_tried(scratch: Path):
    with (
        pytest.raises(McpctlError, match="needs root"),
        base_image.from_archive(replace(HOST, privilege="none")),
    ):
        pytest.fail("no image was built")


def test_a_missing_debootstrap_is_installed_first(scratch: Path, programs: Path, tmp_path: Path):
    (programs / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/apt\n')
    (programs / "apt-get").chmod(0o755)
    with base_image.from_archive(replace(HOST, programs=frozenset()), scratch=scratch):
        pass
    assert (tmp_path / "apt").read_text().splitlines()[-1].endswith(" debootstrap")
