"""Files as the tar stream that the engine unpacks into a container."""

from __future__ import annotations

import io
import tarfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcpctl.engine.types import WrittenFile


def archive(files: Iterable[WrittenFile]) -> bytes:
    """Return a tar archive of files, their paths relative to the root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.data), file.mode, file.uid, file.gid
            entry.mtime = int(time.time())
            tar.addfile(entry, io.BytesIO(file.data))
    return buffer.getvalue()
