"""Images built for real, by the engine's own builder and by docker buildx."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.errors import ConfigError, EngineFailed
from mcpctl.stack.images import BuildChoice, perform_image_step, plan_images, plan_stale
from mcpctl.stack.observe import observe_images
from tests import peers
from tests.docs.schema_check import check
from tests.engine.stack import Stack, eventually
from tests.unit.mcpctl.engine.test_certificate_bundle import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mcpctl.compose.model import Project

FILE = "services: {app: {build: .}}"


@pytest.fixture
def project(stack: Callable[[str], Stack]) -> Iterator[Callable[..., Stack]]:
    """Return a function that makes a project to build; its image is removed at the end."""
    made: list[Stack] = []

    def make(dockerfile: str, text: str = FILE, *, buildx: Path | None = None, **files: str) -> Stack:
        item = stack(text)
        made.append(item)
        (item.folder / "Dockerfile").write_text(dockerfile.replace("IMAGE", item.image), encoding="utf-8")
        for name, content in files.items():
            (item.folder / name).write_text(content, encoding="utf-8")
        if buildx:
            plugins = item.folder / ".docker" / "cli-plugins"
            plugins.mkdir(parents=True)
            (plugins / "docker-buildx").symlink_to(buildx)
        return item

    yield make
    for item in made:
        if item.engine.find_image(f"{item.name}-app"):
            item.engine.remove_image(f"{item.name}-app")


@pytest.fixture(scope="session")
def buildx() -> Path:
    try:
        return peers.buildx_binary()
    except peers.PeerMissing as error:
        pytest.fail(str(error))


def with_environment(project: Project, **variables: str) -> Project:
    return replace(project, environment={**project.environment, **variables})


def built(
    item: Stack, project: Project | None = None, **choice: bool
) -> tuple[str, list[str], dict[str, str]]:
    """Build and return the image's id, the lines that were told, and what was remembered of it."""
    lines: list[str] = []
    remembered: dict[str, str] = {}
    loaded = project or item.project
    (step,) = plan_images(loaded, observe_images(item.engine, loaded), frozenset({"app"}), rebuild=True)
    perform_image_step(
        item.engine, loaded, step, BuildChoice(**choice, remember=remembered.__setitem__), lines.append
    )
    (identity,) = remembered
    image = item.engine.find_image(f"{item.name}-app")
    assert image
    assert image.id == identity
    assert image.labels["com.docker.compose.project"] == item.name
    return identity, lines, remembered


def content(item: Stack, path: str) -> str:
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", f"{item.name}-app", "cat", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_buildx_mounts_secrets_and_tells_its_steps(project: Callable[..., Stack], buildx: Path) -> None:
    text = """
        services:
          app:
            build:
              context: .
              args: {MODE: fast}
              secrets: [from_file, {source: from_variable, target: other}]
        secrets: {from_file: {file: "./token, with comma"}, from_variable: {environment: TOKEN}}
    """
    item = project(
        "FROM IMAGE\nARG MODE\nCOPY note /note\n"
        "RUN --mount=type=secret,id=from_file --mount=type=secret,id=other "
        "cat /run/secrets/from_file /run/secrets/other > /read && echo mode $MODE >> /read\n",
        text,
        buildx=buildx,
        **{"token, with comma": "first ", "note": "a note"},
    )
    loaded = with_environment(item.project, TOKEN="second")
    identity, lines, remembered = built(item, loaded)
    assert content(item, "/read") == "first secondmode fast\n"
    assert content(item, "/note") == "a note"
    assert any(re.match(r"\[(stage-0 )?2/3\] COPY note /note", line) for line in lines), lines
    assert plan_stale(loaded, item.engine, observe_images(item.engine, loaded), remembered) == ()
    assert built(item, loaded)[0] == identity, "nothing changed, so the image is the same"


@pytest.mark.parametrize("with_buildx", [False, True])
def test_a_failing_step_is_named_with_its_last_lines(
    project: Callable[..., Stack], buildx: Path, with_buildx: bool
) -> None:
    dockerfile = "FROM IMAGE\nRUN echo fine\nRUN echo it broke because; exit 3\n"
    item = project(dockerfile, buildx=buildx if with_buildx else None)
    with pytest.raises(EngineFailed, match=r"failed at .*RUN echo it broke because; exit 3") as raised:
        built(item)
    assert str(raised.value.details["output"]).splitlines()[-1].endswith("it broke because")
    assert "3" in raised.value.message.rpartition("exit 3")[2]


@pytest.mark.parametrize("with_buildx", [False, True])
def test_a_base_image_that_is_nowhere_is_a_clear_error(
    project: Callable[..., Stack], buildx: Path, with_buildx: bool
) -> None:
    item = project("FROM localhost:1/mcpctl-test-nowhere:1\n", buildx=buildx if with_buildx else None)
    with pytest.raises(EngineFailed, match="mcpctl-test-nowhere") as raised:
        built(item)
    assert raised.value.hint


def test_a_plugin_that_does_not_work_is_said_and_not_replaced(
    project: Callable[..., Stack], tmp_path: Path
) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text("#!/bin/sh\necho cannot find libfoo >&2\nexit 127\n")
    plugin.chmod(0o755)
    item = project("FROM scratch\nCOPY Dockerfile /\n", buildx=plugin)
    with pytest.raises(EngineFailed, match=r"buildx does not work: .*cannot find libfoo") as raised:
        built(item)
    assert "DOCKER_BUILDKIT=0" in (raised.value.hint or "")
    assert item.engine.find_image(f"{item.name}-app") is None
    plugin.write_text("no program")
    with pytest.raises(EngineFailed, match="cannot be started: Exec format error"):
        built(item)
    assert built(item, with_environment(item.project, DOCKER_BUILDKIT="0"))[1][0].startswith("Step 1/")


def test_an_engine_too_old_for_other_contexts_is_said(project: Callable[..., Stack], buildx: Path) -> None:
    """BuildKit has them since Docker Engine 23; there the build succeeds."""
    text = "services: {app: {build: {context: ., additional_contexts: {more: ./extra}}}}"
    item = project("FROM IMAGE\nCOPY --from=more note /note\n", text, buildx=buildx)
    (item.folder / "extra").mkdir()
    (item.folder / "extra" / "note").write_text("a note")
    if item.engine.api_version >= (1, 42):
        built(item)
        assert content(item, "/note") == "a note"
        return
    with pytest.raises(EngineFailed, match="unsupported frontend capability") as raised:
        built(item)
    assert "Docker Engine 23" in (raised.value.hint or "")


NARROWED = [
    "COPY a/one /x\n",
    "COPY a b/ /x/\n",
    "COPY b/*.txt /x/\n",
    'COPY ["a/one", "link", "/x/"]\n',
    "COPY link/deep /x\n",
    "ADD a/../b /x/\nCOPY . /y/\n",
    "COPY ./a/[o]ne /x/\n",
]


def test_what_is_left_unsent_changes_no_image(project: Callable[..., Stack]) -> None:
    """The same builder, given the whole context by the docker CLI, finds our steps in its cache."""
    item = project("FROM scratch\n")
    for name in ("a/one", "a/two", "b/c.txt", "b/d.md", "b/in/deep", "unneeded/file"):
        (item.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (item.folder / name).write_text(name)
    (item.folder / "link").symlink_to("b/in")
    environment = {**os.environ, "DOCKER_BUILDKIT": "0", "DOCKER_HOST": item.engine.endpoint.url}
    for lines in NARROWED:
        (item.folder / "Dockerfile").write_text(f"FROM scratch\n{lines}LABEL a=b\n")
        identity = built(item)[0]
        labels = item.engine.find_image(identity)
        assert labels
        flags = [
            word
            for key, value in labels.labels.items()
            if key != "a"
            for word in ("--label", f"{key}={value}")
        ]
        done = subprocess.run(
            ["docker", "build", "-q", *flags, "."],
            cwd=item.folder, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == identity, lines


@pytest.mark.parametrize("with_buildx", [False, True])
def test_the_proxies_of_dockers_configuration_reach_the_build(
    project: Callable[..., Stack], buildx: Path, monkeypatch: pytest.MonkeyPatch, with_buildx: bool
) -> None:
    item = project(
        "FROM IMAGE\nRUN echo $HTTP_PROXY $https_proxy > /seen\n", buildx=buildx if with_buildx else None
    )
    config = item.folder / ".docker" / "config.json"
    config.parent.mkdir(exist_ok=True)
    config.write_text('{"proxies": {"default": {"httpProxy": "http://p:1", "httpsProxy": "http://p:2"}}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    item = replace(item, engine=type(item.engine)(item.engine.endpoint))
    built(item)
    assert content(item, "/seen") == "http://p:1 http://p:2\n"


@pytest.mark.parametrize("with_buildx", [False, True])
def test_an_interrupted_build_ends_in_the_engine_too(
    project: Callable[..., Stack], buildx: Path, with_buildx: bool
) -> None:
    mark = f"sleep 86{os.getpid()}{int(with_buildx)}"
    item = project(f"FROM IMAGE\nRUN {mark}\n", buildx=buildx if with_buildx else None)
    command = [str(Path(sys.executable).with_name("mcpctl")), "-p", item.name, "build"]
    environment: Mapping[str, str] = {
        "HOME": str(item.folder), "PATH": "/usr/bin:/bin", "DOCKER_HOST": item.engine.endpoint.url,
    }  # fmt: skip
    with subprocess.Popen(
        command, cwd=item.folder, env=environment, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        eventually(lambda: running(mark), "the step runs")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    eventually(lambda: not running(mark), "the step ends")


def running(mark: str) -> bool:
    """Tell whether a process of this command line runs, in whatever container."""
    wanted = mark.encode().split()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[: len(wanted)] == wanted:
            return True
    return False


def test_what_needs_buildkit_is_refused_before_anything_is_sent(project: Callable[..., Stack]) -> None:
    item = project("FROM IMAGE\nRUN --mount=type=cache,target=/c true\n")
    with pytest.raises(ConfigError, match=r"Dockerfile:2: RUN --mount needs BuildKit"):
        built(item)


@pytest.mark.parametrize("with_buildx", [False, True])
def test_a_ca_bundle_reaches_the_step_and_not_the_image(
    project: Callable[..., Stack], buildx: Path, with_buildx: bool
) -> None:
    mount = "--mount=type=secret,id=mcp-ca-bundle cat /run/secrets/mcp-ca-bundle > /secret;"
    item = project(
        "FROM IMAGE\nARG MCP_CA_BUNDLE=\n"
        f'RUN {mount if with_buildx else ""} echo "$MCP_CA_BUNDLE" > /argument\n',
        buildx=buildx if with_buildx else None,
    )
    file = item.folder / "ca.pem"
    file.write_text(CERTIFICATE)
    identity = built(item, ca_bundle=file)[0]
    assert content(item, "/argument").strip() == CERTIFICATE.strip()
    if with_buildx:
        assert content(item, "/secret") == CERTIFICATE
    raw = item.engine.api.inspect_image(identity)
    assert "CERTIFICATE" not in str(raw["Config"])


def test_what_a_build_would_do_is_explained(
    project: Callable[..., Stack], run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "services: {app: {build: {context: ., args: {API_TOKEN: hidden, BASE: IMAGE}}}, other: {image: x}}"
    item = project("ARG BASE\nFROM $BASE\nCOPY one /one\n", text, one="1", two="22")
    monkeypatch.setenv("HOME", str(item.folder))
    words = ("-H", item.engine.endpoint.url, "-C", item.folder, "-p", item.name)

    def explained() -> dict[str, Any]:
        left = run(*words, "build", "--explain", "-o", "json")
        check("build", left.json)
        (image,) = left.json["data"]["images"]
        return {**image, "builder": left.json["data"]["builder"]["name"]}

    first = explained()
    assert first["state"] == "missing"
    assert first["builder"] == "classic"
    assert first["args"] == {"API_TOKEN": "***", "BASE": item.image}
    assert first["needed"] == ["one"]
    assert (first["files"], first["largest"][-1]) == (2, {"path": "one", "bytes": 1})
    assert first["base_images"][0]["image"] == item.image
    assert item.engine.find_image(f"{item.name}-app") is None
    assert run(*words, "build").exit_code == 0
    assert explained()["state"] == "current"
    (item.folder / "two").write_text("changed")
    assert explained()["state"] == "current"
    (item.folder / "one").write_text("changed")
    assert explained()["state"] == "changed"
    shown = run(*words, "build", "--explain").stdout
    assert "builder: classic (docker buildx is not installed)" in shown
    assert "out of date" in shown
    assert "hidden" not in shown
    (item.folder / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=tmpfs,target=/x true\n")
    assert "Dockerfile:2: RUN --mount needs BuildKit" in explained()["problem"]


def test_the_largest_files_of_a_large_context_are_named(
    project: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpctl.stack.images.LARGE_CONTEXT", 2_000_000)
    item = project("FROM scratch\nCOPY . /\n", small="x")
    (item.folder / "model.bin").write_bytes(bytes(2_000_000))
    warned: list[str] = []
    built(item, warn=warned.append)
    (text,) = warned
    assert "4 files, 2 MB" in text
    assert "model.bin (2.0 MB)" in text
    assert text.endswith(".dockerignore")
    (item.folder / ".dockerignore").write_text("model.bin")
    built(item, warn=warned.append)
    assert len(warned) == 1
