"""`stats`, `top` and `events` of one project."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING

from mcpctl.compose import labels
from mcpctl.engine.events import listening
from mcpctl.engine.stats import Usage, processes, sample, samples
from mcpctl.errors import EngineFailed, McpctlError, NotFound
from mcpctl.stack.observe import number_of, observe_containers, service_of
from mcpctl.stack.order import require_known, require_service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpctl.compose.model import Project
    from mcpctl.engine.client import Engine
    from mcpctl.engine.events import Event
    from mcpctl.engine.types import Container

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    """What one container uses; None where nothing is known yet."""

    service: str
    container: str
    usage: Usage | None

    def to_json(self) -> dict[str, object]:
        """Return the form that `stats -o json` prints."""
        known = self.usage.to_json() if self.usage else {}
        return {"service": self.service, "container": self.container, **known}


@dataclass(frozen=True, slots=True)
class ContainerProcesses:
    """The processes of one container, as `ps` prints them."""

    service: str
    container: str
    titles: tuple[str, ...]
    processes: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, object]:
        """Return the form that `top -o json` prints."""
        return {
            "service": self.service,
            "container": self.container,
            "titles": list(self.titles),
            "processes": [list(row) for row in self.processes],
        }


def chosen_containers(engine: Engine, project: Project, services: Sequence[str]) -> list[Container]:
    """Return the project's containers, or those of some services, by service and number.

    Raises:
        NotFound: a name is no service and has no container (exit 10).
    """
    for name in services:
        require_known(project, name)
    found = observe_containers(engine, project.name)
    known = {service_of(item) for item in found}
    for name in services:
        if name not in known:
            require_service(project, name)
    wanted = [item for item in found if not services or service_of(item) in services]
    return sorted(wanted, key=lambda item: (service_of(item), number_of(item)))


def running_containers(engine: Engine, project: Project, services: Sequence[str]) -> list[Container]:
    """Return those that run.

    Raises:
        NotFound: a service that was named does not run (exit 10).
    """
    found = [item for item in chosen_containers(engine, project, services) if item.running]
    for name in services:
        if all(service_of(item) != name for item in found):
            raise NotFound(
                f"service {name} is not running", hint=f"mcpctl up {name}", details={"service": name}
            )
    return found


def read_usage(engine: Engine, project: Project, services: Sequence[str]) -> list[ContainerUsage]:
    """Take one sample of each running container, all at the same time."""
    found = running_containers(engine, project, services)
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="stats") as pool:
        waiting = [pool.submit(_sample, engine, item) for item in found]
        taken = [future.result() for future in waiting]
    return [item for item in taken if item]


def _sample(engine: Engine, container: Container) -> ContainerUsage | None:
    try:
        return ContainerUsage(service_of(container), container.name, sample(engine, container.id))
    except (NotFound, EngineFailed):
        if engine.find_container(container.id):
            raise
        return None  # it went while it was looked at


def follow_usage(engine: Engine, project: Project, services: Sequence[str]) -> Iterator[list[ContainerUsage]]:
    """Yield the newest sample of each container, about once a second, until none runs any more."""
    containers = running_containers(engine, project, services)
    queue: Queue[tuple[str, Usage | McpctlError | None]] = Queue()
    newest: dict[str, Usage | None] = {item.id: None for item in containers}
    for item in containers:
        Thread(target=_pump, args=(engine, item.id, queue), daemon=True).start()
    while newest:
        for identity, found in _batch(queue):
            if isinstance(found, McpctlError):
                raise found
            if found is None:
                newest.pop(identity, None)
            else:
                newest[identity] = found
        yield [
            ContainerUsage(service_of(item), item.name, newest[item.id])
            for item in containers
            if item.id in newest
        ]


def _batch(
    queue: Queue[tuple[str, Usage | McpctlError | None]],
) -> list[tuple[str, Usage | McpctlError | None]]:
    """Return what has come; wait a second at most, so that Ctrl-C gets through."""
    try:
        found = [queue.get(timeout=1)]
        while not queue.empty():
            found.append(queue.get_nowait())
    except Empty:
        return []
    return found


def _pump(engine: Engine, container: str, queue: Queue[tuple[str, Usage | McpctlError | None]]) -> None:
    try:
        for used in samples(engine, container):
            if not used.memory_bytes and not used.pids:
                break  # the engine goes on telling zeros of one that has stopped
            queue.put((container, used))
    except NotFound:
        pass
    except McpctlError as error:
        queue.put((container, error))
    finally:  # whatever ended it: nobody waits for a stream that is no more
        queue.put((container, None))


def read_processes(engine: Engine, project: Project, services: Sequence[str]) -> list[ContainerProcesses]:
    """List the processes of each running container."""
    found = running_containers(engine, project, services)
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="top") as pool:
        waiting = [pool.submit(_processes, engine, item) for item in found]
        return [future.result() for future in waiting]


def _processes(engine: Engine, container: Container) -> ContainerProcesses:
    titles, rows = processes(engine, container.id)
    return ContainerProcesses(service_of(container), container.name, titles, rows)


def project_events(
    engine: Engine,
    project: Project,
    services: Sequence[str],
    *,
    since: float | None = None,
    until: float | None = None,
) -> Iterator[dict[str, object]]:
    """Yield what happens to the project's containers, one-off ones left out, as `events` prints it."""
    for name in services:
        require_known(project, name)
    own = [f"{labels.PROJECT}={project.name}", f"{labels.ONEOFF}=False"]
    with listening(engine, own, since=since, until=until) as events:
        for event in events:
            service = event.attributes.get(labels.SERVICE, "")
            if not services or service in services:
                yield _event(event, service)


def _event(event: Event, service: str) -> dict[str, object]:
    """Return an event with the names that compose's own `events --json` has, and without its labels."""
    shown = {key: value for key, value in event.attributes.items() if not key.startswith(labels.PREFIX)}
    return {
        "time": event.time,
        "type": "container",
        "service": service,
        "id": event.container,
        "action": event.action,
        "attributes": shown,
    }
