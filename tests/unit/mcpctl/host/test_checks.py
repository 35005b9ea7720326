from __future__ import annotations

from pathlib import Path

import pytest

from mcpctl.host import checks


@pytest.mark.parametrize(("version", "ok"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 14, 1), True)])
def test_python_3_11_is_the_oldest(version: tuple[int, ...], ok: bool):
    assert checks.python(version).ok is ok


def test_an_old_python_is_told_what_to_run():
    assert checks.python((3, 9, 2)).hint == "./bootstrap"


@pytest.mark.parametrize(("free", "ok"), [(1_999_999_999, False), (2_000_000_000, True)])
def test_under_two_gigabytes_of_disk_is_a_warning(tmp_path: Path, free: int, ok: bool):
    check = checks.disk(tmp_path, free)
    assert (check.ok, check.level) == (ok, "error" if ok else "warning")


def test_a_path_that_is_not_there_yet_is_measured_where_it_will_be(tmp_path: Path):
    assert checks.disk(tmp_path / "not/yet").message == checks.disk(tmp_path).message + "/not/yet"


def test_scarce_memory_is_a_warning(tmp_path: Path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  9000000 kB\nMemAvailable:  900000 kB\n")
    check = checks.memory(meminfo)
    assert (check.ok, check.level) == (False, "warning")
    assert check.message == "only 0.9 GB of memory available, 1 GB wanted"


def test_a_system_that_does_not_tell_its_memory_passes(tmp_path: Path):
    assert checks.memory(tmp_path / "none").ok


def test_a_check_is_written_as_the_json_answers_have_it():
    assert checks.python((3, 12, 1)).to_json() == {
        "name": "python",
        "ok": True,
        "message": "Python 3.12.1",
        "hint": None,
        "level": "error",
    }
