"""Ask AWS who the caller is, and read from its answer what the clock says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from server.aws.session import Sessions


@dataclass(frozen=True, slots=True)
class Identity:
    """AWS's answer to GetCallerIdentity, how long it took, and how far this clock is ahead of AWS's."""

    account: str
    arn: str
    user_id: str
    latency_ms: float
    clock_skew_seconds: float | None


def caller_identity(sessions: Sessions, profile: str | None, region: str | None) -> Identity:
    """Call sts:GetCallerIdentity, which every valid identity may.

    Raises:
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: as botocore meets them.
    """
    client = sessions.client("sts", profile, region)
    started = time.perf_counter()
    answer = cast("dict[str, Any]", client.get_caller_identity())
    latency = round((time.perf_counter() - started) * 1000, 3)
    headers = cast("dict[str, str]", answer["ResponseMetadata"].get("HTTPHeaders", {}))
    return Identity(
        answer["Account"], answer["Arn"], answer["UserId"], latency, clock_skew(headers.get("date"))
    )


def clock_skew(date: str | None) -> float | None:
    """Return by how many seconds this clock is ahead of an answer's ``Date``, which counts whole seconds."""
    if not date:
        return None
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    return round((datetime.now(UTC) - theirs).total_seconds(), 1)
