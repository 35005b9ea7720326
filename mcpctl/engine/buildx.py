"""Build with `docker buildx`: the plugin's own program, so that no docker CLI is needed."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import signal
import subprocess
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.compose.output import mask_value
from mcpctl.engine.build import KEPT_LINES, Built, built_image, failed_build
from mcpctl.engine.builders import GET_BUILDX
from mcpctl.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping

    from mcpctl.engine.client import Engine
    from mcpctl.engine.recipe import Recipe
    from mcpctl.engine.types import BuildSecret, BuildSpec, Endpoint

GRACE_SECONDS = 5.0
_LINE = re.compile(r"#(?P<step>\d+) (?P<text>.*)")
_LOG = re.compile(r"\d+\.\d+ (?P<text>.*)")
_STATUS = re.compile(
    r"(?:DONE|CACHED|CANCELED|ERROR|transferring|exporting|writing|naming|sha256:|extracting|\.\.\.)"
)


@dataclass(slots=True)
class _Steps:
    """What the plain progress says, step by step; ``error`` is buildx's last word on a failure."""

    report: Callable[[str], None]
    names: dict[str, str] = field(default_factory=dict[str, str])
    said: dict[str, deque[str]] = field(default_factory=dict[str, "deque[str]"])
    failed: str = ""
    error: str = ""
    other: deque[str] = field(default_factory=lambda: deque[str](maxlen=KEPT_LINES))

    def read(self, line: str) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            self._other(line)
            return
        step, text = match["step"], match["text"]
        log = _LOG.fullmatch(text)
        if log:
            self.said.setdefault(step, deque(maxlen=KEPT_LINES)).append(log["text"])
            self.report(log["text"])
        elif _STATUS.match(text):
            self._status(step, text)
        elif self.names.get(step) != text:
            self.names[step] = text
            self.report(text)

    def _status(self, step: str, text: str) -> None:
        if text.startswith("ERROR"):
            self.failed = step
        if text.startswith(("CACHED", "ERROR")):
            self.report(f"{self.names.get(step, step)}: {text}")

    def _other(self, line: str) -> None:
        if line.startswith("ERROR: "):
            self.error = line.removeprefix("ERROR: ")
        if line.strip():
            self.other.append(line)
            if not self.failed:
                self.report(line)


def build(
    engine: Engine,
    program: Path,
    spec: BuildSpec,
    recipe: Recipe,
    environ: Mapping[str, str],
    report: Callable[[str], None],
) -> Built:
    """Build an image with buildx at the same engine; ``environ`` is the process's and the project's.

    Raises:
        EngineFailed: buildx does not start, or with the failing step and its last lines of output.
    """
    steps = _Steps(report)
    hidden = hidden_arguments(spec, environ)
    environment = {**environ, **hidden, **_endpoint(engine.endpoint, environ)}
    environment.pop("DOCKER_HOST" if engine.endpoint.context else "DOCKER_CONTEXT", None)
    with _started([str(program), *arguments(spec, recipe, hidden)], environment) as process:
        for raw in process.stdout or ():
            steps.read(raw.decode(errors="replace").rstrip())
        status = process.wait()
    if status == 0:
        return Built(built_image(engine, spec))
    if not steps.names:
        raise _broken(program, f"ended with status {status}: {' '.join(steps.other) or 'it said nothing'}")
    step = steps.names.get(steps.failed, "")
    raise failed_build(spec.tag, step, steps.error, steps.said.get(steps.failed, ()))


def hidden_arguments(spec: BuildSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the build arguments that are handed over as variables, since they look like secrets.

    A command line can be read by every user of the machine. A variable that has another value already keeps
    it: buildx and its secrets may need that one.
    """
    return {
        key: value
        for key, value in spec.args.items()
        if value is not None and mask_value(key, value) != value and environ.get(key, value) == value
    }


def arguments(spec: BuildSpec, recipe: Recipe, hidden: Collection[str] = ()) -> list[str]:
    """Return the command line of `docker-buildx` for one image; ``hidden`` arguments go by name alone."""
    given = (key if value is None or key in hidden else f"{key}={value}" for key, value in spec.args.items())
    words = ["build", "--progress", "plain", "--load", "--provenance=false"]
    repeated: list[tuple[str, Iterable[str]]] = [
        ("--tag", (spec.tag, *spec.more_tags)),
        ("--build-arg", given),
        ("--label", (f"{key}={value}" for key, value in spec.labels.items())),
        ("--cache-from", spec.cache_from),
        ("--cache-to", spec.cache_to),
        ("--add-host", spec.extra_hosts),
        ("--secret", (_secret(item) for item in spec.secrets)),
        ("--build-context", (f"{key}={value}" for key, value in spec.contexts.items())),
    ]
    for flag, values in repeated:
        words += [word for value in values for word in (flag, value)]
    single = {
        "--target": spec.target,
        "--network": spec.network,
        "--platform": spec.platform,
        "--shm-size": str(spec.shm_size) if spec.shm_size else None,
        "--file": str(recipe.context.file),
    }
    words += [word for flag, value in single.items() if value for word in (flag, value)]
    words += ["--pull"] * spec.pull + ["--no-cache"] * spec.no_cache
    return [*words, "--", str(recipe.context.root)]


def _secret(secret: BuildSecret) -> str:
    fields = [f"id={secret.id}", f"src={secret.file}" if secret.file else f"env={secret.variable}"]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _endpoint(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that lead buildx to the engine that was chosen.

    A context also holds the keys for TLS; for a plain address ``DOCKER_CERT_PATH`` names them as it is.
    """
    own = {"DOCKER_CONTEXT": endpoint.context} if endpoint.context else {"DOCKER_HOST": endpoint.url}
    return {"HOME": environ.get("HOME", "/"), "PATH": environ.get("PATH", os.defpath), **own}


def _broken(program: Path, why: str) -> EngineFailed:
    return EngineFailed(
        f"docker buildx does not work: {program} {why}",
        hint=f"install it anew: {GET_BUILDX}; or build without it: DOCKER_BUILDKIT=0 mcpctl build",
        details={"program": str(program)},
    )


@contextlib.contextmanager
def _started(argv: list[str], environment: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Run buildx in a group of its own, which ends with the block: the engine then cancels the build."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise _broken(Path(argv[0]), f"cannot be started: {error.strerror}") from error
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
    if process.stdout:
        process.stdout.close()
