"""What a fast answer may load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"docker", "boto3", "botocore", "rich", "yaml", "requests", "urllib3", "mcp", "dotenv"}
PROGRAM = """
import json, sys
from mcpctl.main import main
code = main(sys.argv[1:])
print(json.dumps({"code": code, "loaded": sorted(sys.modules)}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["up", "--help"], 0),
        (["aws", "--help"], 0),
        (["up", "--nonsense"], 2),
        (["status", "-o", "json", "--nonsense"], 2),
    ],
)
def test_help_and_usage_errors_load_nothing_heavy(words: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    left = json.loads(done.stderr.splitlines()[-1])
    assert left["code"] == code
    assert HEAVY & {name.partition(".")[0] for name in left["loaded"]} == set()
