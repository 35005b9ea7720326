"""Headers made by hand are those of tarfile, byte for byte."""

from __future__ import annotations

import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from mcpctl.engine.tarstream import header

NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=220
).filter(lambda name: not name.endswith("/"))


@given(
    NAMES,
    st.integers(0, 0o7777),
    st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE]),
    st.integers(0, 8**12),
    st.one_of(st.just(""), NAMES),
)
@example("x" * 99, 0o755, tarfile.DIRTYPE, 0, "")
@example("x" * 100, 0o755, tarfile.DIRTYPE, 0, "")
@example("x" * 100, 0o644, tarfile.REGTYPE, 8**11 - 1, "")
@example("x" * 101, 0o644, tarfile.REGTYPE, 8**11, "")
@example("caf\udce9", 0o4755, tarfile.REGTYPE, 1, "")
def test_a_header_is_what_tarfile_writes(name: str, mode: int, kind: bytes, size: int, link: str) -> None:
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.size, info.linkname = mode, kind, size, link
    assert header(name, mode, kind, size=size, link=link) == info.tobuf(tarfile.PAX_FORMAT)
