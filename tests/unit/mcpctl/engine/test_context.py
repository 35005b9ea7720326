"""The stream of a build context: complete, the same each time, and never more than asked for."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from mcpctl.engine.context import OUTSIDE_DOCKERFILE, open_context
from mcpctl.errors import ConfigError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def members(root: Path, dockerfile: str = "Dockerfile") -> dict[str, tarfile.TarInfo]:
    stream = b"".join(open_context(str(root), dockerfile).stream())
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        return {entry.name: entry for entry in archive}


def content(root: Path, name: str, dockerfile: str = "Dockerfile") -> bytes:
    stream = b"".join(open_context(str(root), dockerfile).stream())
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        found = archive.extractfile(name)
        assert found
        return found.read()


def test_equal_folders_give_equal_bytes_whatever_their_times_and_owners(tmp_path: Path) -> None:
    streams: list[bytes] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "sub").mkdir(parents=True)
        for file in ("Dockerfile", "b", "a") if name == "one" else ("a", "Dockerfile", "b"):
            (folder / file).write_text(file)
            (folder / file).chmod(0o644)
        os.utime(folder / "a", (len(streams), len(streams)))
        streams.append(b"".join(open_context(str(folder), "Dockerfile").stream()))
    assert streams[0] == streams[1]


def test_the_digest_follows_content_names_and_modes(root: Path) -> None:
    (root / "a").write_text("1")
    digests = [open_context(str(root), "Dockerfile").digest()]
    for change in (
        lambda: (root / "a").write_text("2"),
        lambda: (root / "a").chmod(0o700),
        lambda: (root / "a").rename(root / "b"),
        (root / "sub").mkdir,
    ):
        change()
        digests.append(open_context(str(root), "Dockerfile").digest())
    assert len(set(digests)) == len(digests)


def test_every_kind_of_entry_arrives(root: Path) -> None:
    (root / "empty").mkdir()
    (root / "run.sh").write_text("x")
    (root / "run.sh").chmod(0o4755)
    (root / "link").symlink_to("run.sh")
    (root / "dangling").symlink_to("/no/such/place")
    (root / "to_folder").symlink_to("empty")
    (root / "ünï").write_text("u")
    long = "d" * 120 + "/" + "f" * 200
    (root / long).parent.mkdir()
    (root / long).write_text("long")
    os.mkfifo(root / "pipe")

    found = members(root)
    assert sorted(found) == sorted(
        ["Dockerfile", "empty", "run.sh", "link", "dangling", "to_folder", "ünï", "d" * 120, long]
    )
    assert found["empty"].isdir()
    assert stat.S_IMODE(found["run.sh"].mode) == 0o4755
    assert found["link"].linkname == "run.sh"
    assert found["dangling"].linkname == "/no/such/place"
    assert found["to_folder"].issym()
    assert {entry.mtime for entry in found.values()} == {0}
    assert {(entry.uid, entry.gid, entry.uname) for entry in found.values()} == {(0, 0, "")}


def test_a_name_that_is_no_utf8_arrives_byte_for_byte(root: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    (root / odd).write_text("x")
    assert odd in members(root)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 3 * 1024 * 1024 + 7])
def test_a_file_of_any_size_arrives_whole(root: Path, size: int) -> None:
    (root / "file").write_bytes(os.urandom(size))
    assert content(root, "file") == (root / "file").read_bytes()


def test_an_ignored_folder_is_not_even_entered(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".dockerignore").write_text("secret\n")
    (root / "secret").mkdir()
    entered: list[str] = []
    scandir = os.scandir

    def watched(folder: Path) -> object:
        entered.append(Path(folder).name)
        return scandir(folder)

    monkeypatch.setattr("mcpctl.engine.context.os.scandir", watched)
    assert sorted(members(root)) == [".dockerignore", "Dockerfile"]
    assert entered == ["context"]


def test_an_exception_brings_back_one_file_of_an_ignored_folder(root: Path) -> None:
    (root / ".dockerignore").write_text("data\n!data/deep/keep\n")
    (root / "data" / "deep").mkdir(parents=True)
    for name in ("data/a", "data/deep/keep", "data/deep/other"):
        (root / name).write_text("x")
    assert sorted(members(root)) == [".dockerignore", "Dockerfile", "data/deep/keep"]


def test_dockerfile_and_ignore_file_are_sent_even_where_ignored(root: Path) -> None:
    (root / "docker").mkdir()
    (root / "docker" / "App.Dockerfile").write_text("FROM scratch\n")
    (root / ".dockerignore").write_text("*\n")
    assert sorted(members(root, "docker/App.Dockerfile")) == [".dockerignore", "docker/App.Dockerfile"]


def test_a_dockerfiles_own_ignore_file_goes_first(root: Path) -> None:
    (root / ".dockerignore").write_text("a\n")
    (root / "Dockerfile.dockerignore").write_text("b\n")
    (root / "a").write_text("a")
    (root / "b").write_text("b")
    assert {"a"} == {"a", "b"}.intersection(members(root))


def test_a_dockerfile_from_outside_is_sent_and_kept_out_of_the_image(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "Other.Dockerfile"
    outside.write_text("FROM scratch\nCOPY . /\n")
    context = open_context(str(root), "../Other.Dockerfile")
    assert context.dockerfile == OUTSIDE_DOCKERFILE
    assert content(root, OUTSIDE_DOCKERFILE, "../Other.Dockerfile") == outside.read_bytes()
    assert content(root, ".dockerignore", "../Other.Dockerfile").decode().split() == [
        ".dockerignore",
        OUTSIDE_DOCKERFILE,
    ]
    (root / ".dockerignore").write_text("a\n")
    assert content(root, ".dockerignore", "../Other.Dockerfile").decode().split() == [
        "a",
        OUTSIDE_DOCKERFILE,
    ]


def test_a_file_that_shrinks_meanwhile_is_named(root: Path) -> None:
    (root / "log").write_bytes(b"x" * (3 * 1024 * 1024))
    stream = open_context(str(root), "Dockerfile").stream()
    next(stream)
    os.truncate(root / "log", 1024)
    with pytest.raises(ConfigError, match="log shrank"):
        list(stream)


def test_a_file_that_grows_meanwhile_is_sent_as_announced(root: Path) -> None:
    (root / "log").write_bytes(b"x" * 3 * 1024 * 1024)
    stream = open_context(str(root), "Dockerfile").stream()
    pieces = [next(stream)]
    with (root / "log").open("ab") as log:
        log.write(b"y" * 5000)
    pieces += stream
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        assert archive.getmember("log").size == 3 * 1024 * 1024
        assert archive.getnames() == ["Dockerfile", "log"]


def test_a_file_that_vanishes_meanwhile_is_a_clear_error(root: Path) -> None:
    (root / "a").write_bytes(b"x" * 3 * 1024 * 1024)
    (root / "b").write_text("b")
    stream = open_context(str(root), "Dockerfile").stream()
    next(stream)
    (root / "b").unlink()
    with pytest.raises(ConfigError, match="b: No such file"):
        list(stream)


def test_no_folder_no_dockerfile_and_a_broken_pattern_are_named(root: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        open_context(str(root / "no"), "Dockerfile")
    with pytest.raises(ConfigError, match="there is no Dockerfile"):
        open_context(str(root), "Other")
    (root / ".dockerignore").write_text("a[\n")
    with pytest.raises(ConfigError, match=r"\.dockerignore.*not closed"):
        open_context(str(root), "Dockerfile")
    (root / ".dockerignore").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        open_context(str(root), "Dockerfile")


def sent(root: Path, *needed: str) -> list[str]:
    context = open_context(str(root), "Dockerfile").narrowed(frozenset(needed))
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.stream()))) as archive:
        return archive.getnames()


def test_only_what_is_needed_is_sent_with_the_folders_above_it(root: Path) -> None:
    for name in ("src/a/one", "src/a/two", "src/b/x", "other/big", "srcs"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    (root / ".dockerignore").write_text("src/a/two\n")
    ours = [".dockerignore", "Dockerfile"]
    assert sent(root, "src/a") == [*ours, "src", "src/a", "src/a/one"]
    assert sent(root, "srcs", "src/b/x") == [*ours, "src", "src/b", "src/b/x", "srcs"]
    assert sent(root) == ours
    assert sent(root, "no/such") == ours
    everything = ["other", "other/big", "src", "src/a", "src/a/one", "src/b", "src/b/x", "srcs"]
    assert sent(root, "src", "") == [*ours, *everything]


def test_all_is_sent_where_a_needed_path_leads_over_a_link(root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "file").write_text("x")
    (root / "link").symlink_to("real")
    assert "real/file" in sent(root, "link/file")
    assert "real/file" in sent(root, "link")


def test_a_context_is_weighed_without_what_is_left_out(root: Path) -> None:
    for number in range(7):
        (root / f"f{number}").write_bytes(b"x" * number * 1000)
    (root / "ignored").write_bytes(b"x" * 10**6)
    (root / ".dockerignore").write_text("ignored")
    weight = open_context(str(root), "Dockerfile").weigh()
    assert (weight.files, weight.size) == (9, 21_000 + len("ignored") + len("FROM scratch\n"))
    assert weight.largest == tuple((number * 1000, f"f{number}") for number in (6, 5, 4, 3, 2))
