from __future__ import annotations

from pathlib import Path

from mcpctl.host import distribution

UBUNTU = """\
PRETTY_NAME="Ubuntu 24.04.1 LTS"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
"""


def test_os_release_is_read_with_its_quotes_removed(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(UBUNTU)
    host = distribution.observe(tmp_path)
    assert (host.id, host.version, host.codename) == ("ubuntu", "24.04", "noble")
    assert host.family == ("ubuntu", "debian")
    assert host.name == "Ubuntu 24.04.1 LTS"


def test_the_vendor_copy_of_os_release_is_the_fallback(tmp_path: Path):
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=alpine\n")
    assert distribution.observe(tmp_path).id == "alpine"


def test_a_system_without_os_release_is_still_described(tmp_path: Path):
    host = distribution.observe(tmp_path)
    assert host.id == ""
    assert host.name == host.system


def test_systemd_is_recognised_by_its_runtime_directory(tmp_path: Path):
    assert not distribution.observe(tmp_path).systemd
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert distribution.observe(tmp_path).systemd


def test_apparmor_is_recognised_when_the_kernel_enforces_it(tmp_path: Path):
    parameter = tmp_path / "sys/module/apparmor/parameters/enabled"
    parameter.parent.mkdir(parents=True)
    parameter.write_text("Y\n")
    assert distribution.observe(tmp_path).apparmor
    parameter.write_text("N\n")
    assert not distribution.observe(tmp_path).apparmor


def test_only_sudo_puts_something_in_front_of_a_command():
    assert distribution.Host(privilege="sudo").prefix == ("sudo", "-n")
    assert distribution.Host(privilege="root").prefix == ()
    assert not distribution.Host(privilege="none").may_install
