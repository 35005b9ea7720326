"""What people see at the end of `stop` and `clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.output import changes
from mcpctl.output.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

STOP = {"action": "stop container", "target": "web-1", "why": ["it is to be stopped"]}
REMOVE = {"action": "remove container", "target": "web-1", "why": ["it is exited"]}
KEPT = {"target": "image shop-web:latest", "why": f"container {'[red]' * 30} uses it"}
STAYS = f"stays: {KEPT['target']}: {KEPT['why']}\n"


@pytest.mark.parametrize(
    ("view", "data", "text"),
    [
        ("stop", {"steps": []}, "nothing was running\n"),
        ("stop", {"steps": [STOP, STOP]}, "2 stopped\n"),
        ("clean", {"steps": [], "kept": []}, "nothing to clean\n"),
        ("clean", {"steps": [STOP, REMOVE], "kept": []}, "1 removed\n"),
        ("clean", {"steps": [], "kept": [KEPT]}, STAYS),
        (
            "clean",
            {"steps": [REMOVE], "kept": [KEPT]},
            f"{STAYS}1 removed\n",
        ),
    ],
)
def test_the_end_of_a_change_looks_like_this(
    view: str, data: Mapping[str, Any], text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    getattr(changes, view)(Writer().console(), data)
    assert capfd.readouterr().out == text
