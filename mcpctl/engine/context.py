"""Stream a build context as a tar: never spooled to disk, one block in memory, the same bytes each time.

Of the folder goes what the ignore file lets through, and of that only what the Dockerfile can copy, where
that can be told (see ``dockerfile``): the engine's own builder unpacks all that it is sent.
"""

from __future__ import annotations

import hashlib
import heapq
import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mcpctl.engine.ignore import BadPattern, Ignore
from mcpctl.engine.tarstream import TarStream
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from mcpctl.engine.ignore import Trail

    class Digest(Protocol):
        """What ``hashlib`` makes."""

        def update(self, data: bytes, /) -> None:
            """Take more of the content in."""


IGNORE_FILE = ".dockerignore"
OUTSIDE_DOCKERFILE = ".mcpctl.Dockerfile"
"""The name that a Dockerfile from outside the context gets inside it."""
KEPT_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a context holds; ``largest`` are its largest files as (bytes, name)."""

    files: int
    size: int
    largest: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """A folder to send, less what its ignore file leaves out; ``dockerfile`` is the name in the stream.

    ``only`` holds the paths below the root that are needed; None means all of them.
    """

    root: Path
    dockerfile: str
    ignore: Ignore
    file: Path
    ignore_file: Path | None = None
    outside: bool = False
    only: frozenset[str] | None = None

    def narrowed(self, needed: frozenset[str] | None) -> Context:
        """Return the same context with only these paths; with all where a path leads over a link."""
        if needed is None or "" in needed or any(_crosses_a_link(self.root, path) for path in needed):
            return replace(self, only=None)
        return replace(self, only=needed)

    def digest(self) -> str:
        """Return the SHA-256 of the whole stream: equal contexts build equal images."""
        digest = hashlib.sha256()
        for _piece in self.stream(digest):
            pass
        return digest.hexdigest()

    def stream(self, digest: Digest | None = None) -> Iterator[bytes]:
        """Yield the tar stream in large pieces; ``digest`` takes in each of them.

        Raises:
            ConfigError: a file cannot be read, or shrinks meanwhile.
        """
        for piece in self._pieces():
            if digest:
                digest.update(piece)
            yield piece

    def weigh(self) -> Weight:
        """Return how much would be sent, without reading it."""
        files = size = 0
        largest: list[tuple[int, str]] = []
        for name, entry in self._entries():
            if entry.is_file(follow_symlinks=False):
                bytes_ = entry.stat(follow_symlinks=False).st_size
                files, size = files + 1, size + bytes_
                heapq.heappush(largest, (bytes_, name))
                if len(largest) > KEPT_LARGEST:
                    heapq.heappop(largest)
        return Weight(files, size, tuple(sorted(largest, reverse=True)))

    def _pieces(self) -> Iterator[bytes]:
        tar = TarStream()
        try:
            for name, entry in self._entries():
                if not (self.outside and name == IGNORE_FILE):
                    yield from tar.add(name, entry.path)
            if self.outside:
                yield from tar.add(OUTSIDE_DOCKERFILE, str(self.file))
                yield from tar.add_text(IGNORE_FILE, self._ignore_text())
        except OSError as error:
            raise self._unreadable(error) from error
        yield from tar.end()

    def _entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        always = {self.dockerfile, IGNORE_FILE}
        walk = _Walk(self.ignore, frozenset(always), _parents(always), self.only, _parents(self.only or ()))
        try:
            yield from walk.below(str(self.root))
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> ConfigError:
        where = str(error.filename or self.root)
        return ConfigError(
            f"the build context cannot be read: {where}: {error.strerror}",
            hint=f"make it readable, or leave it out in {self.root / IGNORE_FILE}",
            details={"path": where},
        )

    def _ignore_text(self) -> str:
        """Return an ignore file that also keeps what we add out of the image, as the Docker CLI does."""
        own = self.root / IGNORE_FILE
        text = own.read_text(encoding="utf-8") if own.is_file() else IGNORE_FILE
        return f"{text}\n{OUTSIDE_DOCKERFILE}\n"


def open_context(root: str, dockerfile: str) -> Context:
    """Read the ignore file of a context; ``<Dockerfile>.dockerignore`` goes before ``.dockerignore``.

    Raises:
        ConfigError: the folder or the Dockerfile is not there.
    """
    folder = Path(root)
    file = folder / dockerfile
    if not folder.is_dir():
        raise ConfigError(
            f"build context {folder} is not a folder", hint="correct build.context in the compose file"
        )
    if not file.is_file():
        raise ConfigError(
            f"there is no Dockerfile {file}", hint="correct build.dockerfile in the compose file"
        )
    own = file.with_name(f"{file.name}{IGNORE_FILE}")
    ignore_file = next((path for path in (own, folder / IGNORE_FILE) if path.exists()), None)
    ignore = _read_ignore(ignore_file) if ignore_file else Ignore("")
    if file.resolve().is_relative_to(folder.resolve()):
        name = file.resolve().relative_to(folder.resolve()).as_posix()
        return Context(folder, name, ignore, file, ignore_file)
    return Context(folder, OUTSIDE_DOCKERFILE, ignore, file, ignore_file, outside=True)


def _read_ignore(path: Path) -> Ignore:
    try:
        return Ignore(path.read_text(encoding="utf-8"))
    except BadPattern as error:
        raise ConfigError(f"{path}: {error}", hint="correct the pattern, or remove it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint="save it as UTF-8 text") from error


def _crosses_a_link(root: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(root.joinpath(*parts[: count + 1]).is_symlink() for count in range(len(parts)))


def _parents(paths: frozenset[str] | set[str] | tuple[str, ...]) -> frozenset[str]:
    return frozenset(str(parent) for path in paths for parent in PurePosixPath(path).parents) - {"."}


@dataclass(frozen=True, slots=True)
class _Walk:
    """One walk over a context, folders before what is in them, names in order."""

    ignore: Ignore
    always: frozenset[str]
    above_always: frozenset[str]
    only: frozenset[str] | None
    above_only: frozenset[str]

    def below(
        self, folder: str, prefix: str = "", above: Trail = (), *, inside: bool = False
    ) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield what is sent; an excluded folder is entered only for an exception below it."""
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            name = prefix + entry.name
            always = name in self.always
            wanted = inside or self.only is None or name in self.only
            if not (wanted or always or name in self.above_only or name in self.above_always):
                continue
            excluded, trail = self.ignore.decide(name, above)
            needed = wanted or name in self.above_only
            if always or (needed and not excluded):
                yield name, entry
            if entry.is_dir(follow_symlinks=False) and self._enters(name, excluded=excluded, needed=needed):
                yield from self.below(entry.path, f"{name}/", trail, inside=wanted)

    def _enters(self, name: str, *, excluded: bool, needed: bool) -> bool:
        if name in self.above_always:
            return True
        return needed and (not excluded or self.ignore.may_return(name))
