"""Write a tar stream in large blocks, the same bytes each time.

Times are dropped (a builder's cache ignores them) and owners are root, so the stream depends on content,
names and modes alone. It is what ``tarfile`` writes in its pax format, which is slow at many small files.
"""

from __future__ import annotations

import os
import stat
import tarfile
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 1 << 20
"""What is handed on at once: a small file does not cost a call to the network."""
_PADDING = tarfile.BLOCKSIZE
_PLAIN_NAME = 100
_PLAIN_SIZE = 8**11
_OWNER = b"0000000\0" * 2
_TIME = b"00000000000\0"
_AFTER_LINK = b"ustar\x0000" + bytes(247)
_FIXED_SUM = sum(_OWNER + _TIME + _AFTER_LINK) + 8 * ord(" ")


def header(name: str, mode: int, kind: bytes = tarfile.REGTYPE, *, size: int = 0, link: str = "") -> bytes:
    """Return an entry's header; anything out of the ordinary is left to ``tarfile``."""
    if link or len(name) > _PLAIN_NAME or size >= _PLAIN_SIZE or not name.isascii():
        info = tarfile.TarInfo(name)
        info.mode, info.type, info.size, info.linkname = mode, kind, size, link
        return info.tobuf(tarfile.PAX_FORMAT)
    if kind == tarfile.DIRTYPE:
        name += "/"
        if len(name) > _PLAIN_NAME:
            return header(name, mode, kind, size=size)
    raw = name.encode("ascii")
    numbers = b"%07o\0%011o\0" % (mode & 0o7777, size)
    checksum = sum(raw) + sum(numbers) + kind[0] + _FIXED_SUM
    return b"%b%b%b%b%b%06o\0 %b%b%b" % (
        raw.ljust(_PLAIN_NAME, b"\0"),
        numbers[:8],
        _OWNER,
        numbers[8:],
        _TIME,
        checksum,
        kind,
        bytes(100),
        _AFTER_LINK,
    )


class TarStream:
    """A tar under way: what ``add`` and its kin yield is the stream so far, in blocks; ``end`` closes it."""

    def __init__(self) -> None:
        self._buffer = bytearray(BLOCK_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0

    def add(self, name: str, path: str) -> Iterator[bytes]:
        """Add a file, a folder or a link; sockets, fifos and devices have no place in an image.

        Raises:
            OSError: it cannot be read.
            ConfigError: a file shrinks meanwhile.
        """
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            yield from self._file(name, path)
        elif stat.S_ISDIR(status.st_mode):
            yield from self._write(header(name, mode, tarfile.DIRTYPE))
        elif stat.S_ISLNK(status.st_mode):
            yield from self._write(header(name, mode, tarfile.SYMTYPE, link=os.readlink(path)))  # noqa: PTH115 - a Path for each of many files is slow

    def add_text(self, name: str, text: str) -> Iterator[bytes]:
        """Add a file of ours."""
        content = text.encode()
        yield from self._write(header(name, 0o644, size=len(content)))
        yield from self._write(content + bytes(-len(content) % _PADDING))

    def end(self) -> Iterator[bytes]:
        """Write the two empty blocks that end an archive, and what is left of the buffer."""
        yield from self._write(bytes(2 * _PADDING))
        if self._filled:
            yield bytes(self._view[: self._filled])
            self._filled = 0

    def _write(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            step = min(len(data) - at, BLOCK_BYTES - self._filled)
            self._view[self._filled : self._filled + step] = data[at : at + step]
            at += step
            yield from self._advance(step)

    def _advance(self, count: int) -> Iterator[bytes]:
        self._filled += count
        if self._filled == BLOCK_BYTES:
            yield bytes(self._buffer)
            self._filled = 0

    def _file(self, name: str, path: str) -> Iterator[bytes]:
        """Write a file's header and exactly the announced bytes, even if it changes meanwhile."""
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(file)
            left = status.st_size
            yield from self._write(header(name, stat.S_IMODE(status.st_mode), size=left))
            while left:
                room = min(left, BLOCK_BYTES - self._filled)
                count = os.readv(file, [self._view[self._filled : self._filled + room]])
                if not count:
                    raise ConfigError(f"{path} shrank while it was sent to the builder", hint="build again")
                left -= count
                yield from self._advance(count)
        finally:
            os.close(file)
        yield from self._write(bytes(-status.st_size % _PADDING))
