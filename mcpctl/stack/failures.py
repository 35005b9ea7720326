"""Several steps that failed at the same time become one error that tells them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mcpctl.errors import McpctlError

if TYPE_CHECKING:
    from collections.abc import Sequence


def together(failures: Sequence[BaseException]) -> BaseException:
    """Return the one failure, or an error of the first one's kind that tells all of them.

    What is none of our errors is a bug or an ending: the first of those goes before the rest.
    """
    ours = [item for item in failures if isinstance(item, McpctlError)]
    if len(ours) < len(failures):
        return next(item for item in failures if not isinstance(item, McpctlError))
    distinct = list({item.message: item for item in ours}.values())
    first = distinct[0]
    if len(distinct) == 1:
        return first
    error = type(first)(
        "; ".join(item.message for item in distinct),
        hint=next((item.hint for item in distinct if item.hint), None),
        details={**first.details, "containers": _containers(distinct), "failures": _failures(distinct)},
    )
    error.__cause__ = first
    return error


def _containers(failures: Sequence[McpctlError]) -> list[object]:
    """Join the culprits of all, as one `Unhealthy` would tell them."""
    return [
        culprit
        for item in failures
        if isinstance(found := item.details.get("containers"), list)
        for culprit in cast("list[object]", found)
    ]


def _failures(failures: Sequence[McpctlError]) -> list[dict[str, object]]:
    return [{"code": item.code, "message": item.message, "hint": item.hint} for item in failures]
