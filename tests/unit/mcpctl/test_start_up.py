"""What a fast answer may load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = {"docker", "boto3", "botocore", "rich", "requests", "urllib3", "mcp", "dotenv", "pydantic"}
HEAVY = LIBRARIES | {"yaml"}
ENGINE = {
    "/version": {"Version": "26.1.5", "ApiVersion": "1.45"},
    "/v1.45/containers/json": [],
    "/v1.45/networks": [],
    "/v1.45/volumes": {"Volumes": None},
}
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
    left = loaded_by(*words)
    assert left["code"] == code
    assert HEAVY & set(left["loaded"]) == set()


@pytest.mark.parametrize(
    "words", [["status"], ["status", "-o", "json"], ["config"], ["down", "--dry-run", "-t", "1"]]
)
def test_looking_at_a_local_engine_loads_no_library_but_the_parsers(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}}", encoding="utf-8")
    with engine_at(tmp_path / "engine.sock") as address:
        left = loaded_by("-C", str(tmp_path), "-H", address, *words)
    assert left["code"] in {0, 7}, left
    assert LIBRARIES & set(left["loaded"]) == set()


def loaded_by(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env={
            **{key: value for key, value in os.environ.items() if key != "COLUMNS"},
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    left: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return left | {"loaded": [name.partition(".")[0] for name in left["loaded"]]}


@contextmanager
def engine_at(path: Path) -> Iterator[str]:
    """Answer what a stack without containers is asked about."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = ENGINE.get(self.path.partition("?")[0], {"message": "no such thing"})
            body = json.dumps(found).encode()
            self.send_response(200 if self.path.partition("?")[0] in ENGINE else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep stderr to the program under test."""

        def address_string(self) -> str:
            return "socket"

    with UnixStreamServer(str(path), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()
