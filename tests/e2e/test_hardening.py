"""What the running containers may do, asked of the engine and from inside."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Stack, docker, inspect

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

SERVICES = ("backend", "frontend", "aws-sandbox")


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_confined(stack: Stack, service: str) -> None:
    host = inspect(stack.container(service))["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["Privileged"] is False
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["PidsLimit"] > 0
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["Init"] is True
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"]["max-size"]


@pytest.mark.parametrize("service", SERVICES)
def test_processes_run_as_uid_1000_without_capabilities(stack: Stack, service: str) -> None:
    script = (
        "import os; print(os.getuid()); print(*[x for x in open('/proc/self/status') if x[:6] == 'CapEff'])"
    )
    uid, capabilities, *_ = docker("exec", stack.container(service), "python3", "-c", script).splitlines()
    assert uid == "1000"
    assert "0000000000000000" in capabilities


@pytest.mark.parametrize("service", SERVICES)
def test_the_root_file_system_cannot_be_written(stack: Stack, service: str) -> None:
    script = "open('/written', 'w')"
    done = subprocess.run(
        ["docker", "exec", stack.container(service), "python3", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Read-only file system" in done.stderr or "Permission denied" in done.stderr


def test_ports_are_published_on_loopback_alone(stack: Stack) -> None:
    for service in ("backend", "frontend"):
        bindings = inspect(stack.container(service))["HostConfig"]["PortBindings"]
        assert {entry["HostIp"] for entries in bindings.values() for entry in entries} == {"127.0.0.1"}
    assert not inspect(stack.container("aws-sandbox"))["HostConfig"]["PortBindings"]


def test_the_aws_folder_is_mounted_read_only(stack: Stack) -> None:
    mounts = {mount["Destination"]: mount for mount in inspect(stack.container("backend"))["Mounts"]}
    assert mounts["/home/mcpuser/.aws"]["RW"] is False
    assert mounts["/data"]["Name"] == f"{stack.project}_backend-data"


@pytest.mark.parametrize("service", SERVICES)
def test_images_hold_no_compiler_no_pip_and_no_mcpctl(stack: Stack, service: str) -> None:
    files = image_files(f"{stack.project}-{service}")
    programs = {path.rsplit("/", 1)[-1] for path in files if path.rpartition("/")[0].endswith("bin")}
    packages = {
        path.rsplit("/", 1)[-1] for path in files if path.rpartition("/")[0].endswith("site-packages")
    }
    assert "python3" in programs
    assert not programs & {"gcc", "cc", "make", "pip", "pip3", "mcpctl", "docker", "curl"}
    assert not packages & {"pip", "typer", "rich", "mcpctl"}
    # moto, which is the sandbox, brings a docker package of its own
    assert service == "aws-sandbox" or not packages & {"docker", "setuptools", "moto"}


def test_bytecode_was_compiled_when_the_image_was_built(stack: Stack) -> None:
    files = image_files(f"{stack.project}-backend")
    assert any("server/__pycache__/app." in path for path in files)


def test_no_layer_holds_a_credential(tmp_path: Path) -> None:
    """Build with marked secrets in the environment and in .env; nothing of them may be in any layer."""
    from tests.e2e.conftest import new_stack, remove

    marked = new_stack(tmp_path)
    secret = "mcpctlMarkedSecretValue0123456789abcdef"
    (marked.directory / ".env").write_text(
        f"{first_env(marked)}\nAWS_ACCESS_KEY_ID=AKIAMARKEDMARKED1234\nAWS_SECRET_ACCESS_KEY={secret}\n",
        encoding="utf-8",
    )
    try:
        built = marked.mcpctl("build", "backend", env={"MCP_AUTH_TOKEN": secret})
        assert built.exit_code == 0, built.stderr
        saved = tmp_path / "image.tar"
        docker("save", "-o", str(saved), f"{marked.project}-backend")
        assert secret.encode() not in all_bytes(saved)
        assert secret not in built.stdout + built.stderr
    finally:
        remove(marked)


def first_env(stack: Stack) -> str:
    """Name the base image that this machine already has, as quick-start would."""
    tags = docker("images", "mcpctl/base", "--format", "{{.Repository}}:{{.Tag}}").split()
    return f"MCP_BASE_IMAGE={tags[0]}" if tags else ""


def image_files(image: str) -> set[str]:
    """Return the paths in a container made from an image."""
    container = docker("create", image).strip()
    try:
        done = subprocess.run(["docker", "export", container], capture_output=True, check=True)
    finally:
        docker("rm", container)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return set(archive.getnames())


def all_bytes(saved: Path) -> bytes:
    """Return everything in an image: its configuration and the content of all layers."""
    content = io.BytesIO()
    with tarfile.open(saved) as image:
        manifest = json.load(image.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is a file
        for name in [manifest[0]["Config"], *manifest[0]["Layers"]]:
            member = image.extractfile(name)
            assert member is not None
            data = member.read()
            content.write(data)
    return content.getvalue()
