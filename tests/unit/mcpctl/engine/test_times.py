"""The engine's times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpctl.engine.times import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-06T07:08:09.123456789Z", datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)),
        ("2024-05-06T07:08:09.5Z", datetime(2024, 5, 6, 7, 8, 9, 500000, UTC)),
        ("2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, 0, UTC)),
        ("2024-05-06T09:08:09.000000001+02:00", datetime(2024, 5, 6, 7, 8, 9, 0, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_to_the_microsecond(text: str, expected: datetime) -> None:
    assert parse(text) == expected


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999))
def test_nanoseconds_never_break_a_time(moment: datetime, nanoseconds: int) -> None:
    text = f"{moment.isoformat()[:19]}.{moment.microsecond:06}{nanoseconds:03}Z"
    assert parse(text) == moment
