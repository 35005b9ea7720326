"""Look at the machine and the project before anything is changed; each finding names what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mcpctl.errors import ConfigError, EngineUnreachable, McpctlError
from mcpctl.host import checks, ports
from mcpctl.host.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.runtime import Runtime

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - what an empty address in a compose file publishes on


def diagnose_machine(runtime: Runtime) -> tuple[Check, ...]:
    """Run every check that can be run; one that fails never hides the others."""
    found = [checks.python(), checks.memory()]
    engine_check, reachable = check_engine(runtime.engine)
    found += [engine_check, checks.disk(_disk_path(runtime.engine if reachable else None))]
    project_check, project = check_project(runtime)
    found.append(project_check)
    if project:
        found += check_last_operation(runtime)
        found += check_ports(project, runtime.engine if reachable else None)
    found.append(check_credentials(runtime.environ if project is None else project.environment))
    return tuple(found)


def check_engine(engine: Engine) -> tuple[Check, bool]:
    """Check that the engine answers; one that is too old counts as none."""
    try:
        info = engine.info()
    except (EngineUnreachable, ConfigError) as error:
        return Check("engine", ok=False, message=error.message, hint=error.hint), False
    where = f"{info.endpoint.url}, {info.endpoint.reason}"
    message = f"Docker Engine {info.version} (API {info.api_version}) at {where}"
    return Check("engine", ok=True, message=message), True


def _disk_path(engine: Engine | None) -> Path:
    """Return where the engine keeps its data, if that is on this machine."""
    root = Path(engine.info().root_directory) if engine else Path("/var/lib")
    return root if engine and engine.endpoint.url.startswith("unix://") else Path("/var/lib")


def check_project(runtime: Runtime) -> tuple[Check, Project | None]:
    """Check that there is a project and that its files are valid."""
    try:
        project = runtime.project
    except McpctlError as error:
        return Check("project", ok=False, message=error.message, hint=error.hint), None
    files = ", ".join(str(path) for path in project.files)
    return Check("project", ok=True, message=f"project {project.name}: {files}"), project


def check_last_operation(runtime: Runtime) -> list[Check]:
    """Say when the process of the last operation died on its way."""
    left = runtime.state.interrupted()
    if left is None:
        return []
    message = f"the last operation was interrupted: {left}"
    return [Check("last operation", ok=False, message=message, hint="mcpctl up", level="warning")]


def check_ports(project: Project, engine: Engine | None) -> list[Check]:
    """Check that each published port is free or held by the project's own containers."""
    own = _own_ports(project, engine)
    return [
        _check_port(service.name, port.host_ip or EVERY_ADDRESS, int(port.published), own, engine)
        for service in project.services.values()
        for port in service.ports
        if port.published.isdigit() and port.protocol == "tcp"
    ]


def _own_ports(project: Project, engine: Engine | None) -> set[int]:
    if engine is None:
        return set()
    from mcpctl.stack.observe import observe_containers

    return {port.host_port for item in observe_containers(engine, project.name) for port in item.ports}


def _check_port(service: str, address: str, port: int, own: set[int], engine: Engine | None) -> Check:
    name = f"port {port}"
    if port in own:
        return Check(name, ok=True, message=f"{address}:{port} is published by this project's {service}")
    holder = find_holder(address, port)
    if holder is None:
        return Check(name, ok=True, message=f"{address}:{port} is free for {service}")
    container = engine.container_publishing(port, address) if engine else None
    who = f"container {container}" if container else holder
    return Check(
        name,
        ok=False,
        message=f"{address}:{port} for {service} is taken by {who}",
        hint=f"docker stop {container}" if container else "stop it, or set another port in .env",
    )


def find_holder(address: str, port: int) -> str | None:
    """Name the process of this machine that keeps a port from being published, or None where it is free."""
    if ports.is_free(address or EVERY_ADDRESS, port):
        return None
    holder = ports.holder(port, address or None)
    if holder is None:
        return "an unknown process"
    return f"{holder.process} (process {holder.pid})" if holder.pid else holder.process


def check_credentials(settings: Mapping[str, str]) -> Check:
    """Check that AWS credentials can be found; whether AWS accepts them is `aws validate`'s question."""
    from mcpctl.aws.presence import credentials_present
    from mcpctl.aws.settings import sandbox_is_on

    if sandbox_is_on(settings):
        return Check("credentials", ok=True, message="SANDBOX: AWS calls go to the stack's own sandbox")
    source = credentials_present(settings, Path(settings.get("HOME", "/")))
    if source:
        return Check("credentials", ok=True, message=f"AWS credentials from {source}")
    return Check(
        "credentials",
        ok=False,
        message="no AWS credentials found",
        hint="aws configure, or set AWS_ACCESS_KEY_ID in .env, or: mcpctl quick-start --sandbox",
        level="warning",
    )


def worst(found: Iterable[Check]) -> bool:
    """Tell whether a check failed that stops the work."""
    return any(not check.ok and check.level == "error" for check in found)
