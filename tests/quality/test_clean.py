"""The linter and the type checker have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "words",
    [["ruff", "check", "--no-cache"], ["ruff", "format", "--check", "--no-cache"], ["pyright"]],
    ids=lambda words: " ".join(words[:2]),
)
def test_the_code_is_clean(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # pyright keeps its program in the home; a fresh one for each run would fetch it each time
    monkeypatch.setenv("HOME", str(ROOT / ".cache"))
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
