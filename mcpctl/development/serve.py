"""`serve`: the tool service, and the sandbox where asked, as plain processes in the foreground."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.development.source import source_tree
from mcpctl.doctor import find_holder
from mcpctl.errors import McpctlError, PortTaken
from mcpctl.output.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.runtime import Runtime

READY_SECONDS = 60.0
GRACE_SECONDS = 20.0
_REAL_CREDENTIALS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """Where to listen, and whether AWS is the sandbox."""

    host: str
    port: int
    sandbox: bool = False


def serve(runtime: Runtime, request: ServeRequest) -> Outcome:
    """Run until interrupted; when one process ends, the others are ended too.

    Raises:
        PortTaken: the port is held by another process.
    """
    root = source_tree("server")
    if holder := find_holder(request.host, request.port):
        raise PortTaken(
            f"port {request.port} is taken by {holder}",
            hint="mcpctl serve --port PORT",
            details={"port": request.port, "holder": holder},
        )
    python = _interpreter(runtime, root, sandbox=request.sandbox)
    environment = {**runtime.settings, "PYTHONPATH": str(root)}
    with ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []
        if request.sandbox:
            port = _free_port()
            environment = _sandboxed(environment, f"http://127.0.0.1:{port}")
            processes.append(
                _spawn(
                    stack,
                    [python, "-m", "server.sandbox", "--host", "127.0.0.1", "--port", str(port)],
                    environment,
                )
            )
            _await_port(processes[0], port, "the sandbox")
        processes.append(
            _spawn(
                stack,
                [python, "-m", "server", "--host", request.host, "--port", str(request.port)],
                environment,
            )
        )
        _await_port(processes[-1], request.port, "the tool service")
        where = f"http://{request.host}:{request.port}"
        runtime.writer.note(
            f"{'SANDBOX: ' if request.sandbox else ''}the tool service answers at {where} (Ctrl-C ends it)"
        )
        return _supervise(processes)


def _supervise(processes: list[subprocess.Popen[bytes]]) -> Outcome:
    while True:
        for process in processes:
            if (code := process.poll()) is not None:
                raise McpctlError(
                    f"{' '.join(map(str, process.args[1:4]))} ended with exit code {code}",  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportArgumentType, reportCallIssue] - started from a list
                    hint="its own lines above say why",
                )
        time.sleep(0.2)


def _spawn(stack: ExitStack, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches it only through us, in order."""
    process = subprocess.Popen(command, env=dict(environment), start_new_session=True, stdout=sys.stderr)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _sandboxed(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Return an environment in which only the sandbox can be reached: no real key goes near it."""
    kept = {key: value for key, value in environment.items() if key not in _REAL_CREDENTIALS}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(process: subprocess.Popen[bytes], port: int, what: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise McpctlError(
                f"{what} ended with exit code {process.returncode}", hint="its own lines above say why"
            )
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise McpctlError(
        f"{what} does not listen on port {port} after {READY_SECONDS:g} s", hint="mcpctl serve -v"
    )


def _interpreter(runtime: Runtime, root: Path, *, sandbox: bool) -> str:
    """Return a Python with the service's packages: this one if it has them, else one of our own."""
    from importlib.util import find_spec

    wanted = ("mcp", "uvicorn", "moto") if sandbox else ("mcp", "uvicorn")
    if all(find_spec(name) for name in wanted):
        return sys.executable
    files = [
        root / "requirements" / "server.txt",
        *([root / "requirements" / "sandbox.txt"] if sandbox else []),
    ]
    folder = root / ".cache" / f"serve-{'sandbox' if sandbox else 'plain'}"
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = folder / "installed"
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != digest:
        runtime.writer.note("installing the tool service's packages")
        _install(folder, python, files)
        stamp.write_text(digest, encoding="ascii")
    return str(python)


def _install(folder: Path, python: Path, files: list[Path]) -> None:
    arguments = [word for file in files for word in ("-r", str(file))]
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", *arguments],
    )
    for command in commands:
        done = subprocess.run(command, stdout=sys.stderr, env=dict(os.environ), check=False)
        if done.returncode:
            raise McpctlError(f"{' '.join(command[:4])} failed", hint="its own lines above say why")
