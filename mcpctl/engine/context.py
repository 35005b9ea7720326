"""Stream a build context as a tar: never spooled to disk, one block in memory, the same bytes each time.

Times are dropped (the builder's cache ignores them) and owners are root, so the stream depends on content,
names and modes alone.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.engine.ignore import BadPattern, Ignore
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcpctl.engine.ignore import Trail

CHUNK = 1024 * 1024
IGNORE_FILE = ".dockerignore"
_BLOCK = tarfile.BLOCKSIZE
OUTSIDE_DOCKERFILE = ".mcpctl.Dockerfile"
"""The name that a Dockerfile from outside the context gets inside it."""


@dataclass(frozen=True, slots=True)
class Context:
    """A folder to send, less what its ignore file leaves out; ``dockerfile`` is the name in the stream."""

    root: Path
    dockerfile: str
    ignore: Ignore
    outside: Path | None = None

    def digest(self) -> str:
        """Return the SHA-256 of the whole stream: equal contexts build equal images."""
        digest = hashlib.sha256()
        for piece in self.stream():
            digest.update(piece)
        return digest.hexdigest()

    def stream(self) -> Iterator[bytes]:
        """Yield the tar stream.

        Raises:
            ConfigError: a file cannot be read, or shrinks meanwhile.
        """
        try:
            for name, path in sorted(_walk(self.root, self.ignore, {self.dockerfile, IGNORE_FILE})):
                if not (self.outside and name == IGNORE_FILE):
                    yield from _member(name, path)
            if self.outside:
                yield from _member(OUTSIDE_DOCKERFILE, self.outside)
                yield from _text_member(IGNORE_FILE, self._ignore_text())
        except OSError as error:
            raise ConfigError(
                f"the build context cannot be read: {error.filename or self.root}: {error.strerror}",
                hint=f"make it readable, or leave it out in {self.root / IGNORE_FILE}",
                details={"path": str(error.filename or self.root)},
            ) from error
        yield b"\0" * (2 * _BLOCK)

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
    ignore = _read_ignore(own) or _read_ignore(folder / IGNORE_FILE) or Ignore("")
    if file.resolve().is_relative_to(folder.resolve()):
        return Context(folder, file.resolve().relative_to(folder.resolve()).as_posix(), ignore)
    return Context(folder, OUTSIDE_DOCKERFILE, ignore, outside=file)


def _read_ignore(path: Path) -> Ignore | None:
    try:
        return Ignore(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except BadPattern as error:
        raise ConfigError(f"{path}: {error}", hint="correct the pattern, or remove it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint="save it as UTF-8 text") from error


def _walk(
    folder: Path, ignore: Ignore, always: set[str], prefix: str = "", above: Trail = ()
) -> Iterator[tuple[str, Path]]:
    """Yield what is sent as (name, path); an excluded folder is entered only for an exception below it."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        name = prefix + entry.name
        excluded, trail = ignore.decide(name, above)
        if not excluded or name in always:
            yield name, Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            wanted = any(path.startswith(f"{name}/") for path in always)
            if not excluded or wanted or ignore.may_return(name):
                yield from _walk(Path(entry.path), ignore, always, f"{name}/", trail)


def _member(name: str, path: Path) -> Iterator[bytes]:
    status = path.lstat()
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISREG(status.st_mode):
        yield from _file(info, path, status.st_size)
        return
    else:  # sockets, fifos and devices have no place in an image
        return
    yield info.tobuf(tarfile.PAX_FORMAT)


def _text_member(name: str, text: str) -> Iterator[bytes]:
    content = text.encode()
    info = tarfile.TarInfo(name)
    info.size = len(content)
    yield info.tobuf(tarfile.PAX_FORMAT)
    yield content + b"\0" * (-len(content) % _BLOCK)


def _file(info: tarfile.TarInfo, path: Path, size: int) -> Iterator[bytes]:
    """Yield a file's header and exactly the announced bytes, even if it changes meanwhile."""
    info.size = size
    yield info.tobuf(tarfile.PAX_FORMAT)
    left = size
    with path.open("rb") as source:
        while left and (piece := source.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
    if left:
        raise ConfigError(f"{path} shrank while it was sent to the builder", hint="build again")
    yield b"\0" * (-size % _BLOCK)
