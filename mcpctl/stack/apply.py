"""Carry out one step: the only place in this room that changes the engine."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

from mcpctl.compose import contents, labels
from mcpctl.errors import EngineFailed, NotFound, PortTaken
from mcpctl.stack.diagnosis import diagnose, unhealthy
from mcpctl.stack.mounts import inherited_volumes, written_files
from mcpctl.stack.observe import service_of
from mcpctl.stack.readiness import Deadline, Wanted, wait_ready
from mcpctl.stack.recovery import Recovery
from mcpctl.stack.references import resolve
from mcpctl.stack.security import with_profiles
from mcpctl.stack.spec import Placement, container_name, container_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcpctl.compose.model import Project, Service
    from mcpctl.engine.client import Engine
    from mcpctl.engine.types import Container
    from mcpctl.stack.observe import Observed
    from mcpctl.stack.readiness import Watch
    from mcpctl.stack.spec import ContainerSpec
    from mcpctl.stack.steps import Step

NEVER = "0001-01-01T00:00:00Z"
"""When the engine says that a container was started that never was."""
_IDENTITY = (labels.PROJECT, labels.SERVICE, labels.CONTAINER_NUMBER, labels.CONFIG_HASH)

_CANNOT_RUN = (
    "executable file not found",
    "exec format error",
    "no such file or directory",
    "permission denied",
)
"""What the runtime says of a command that is not there or is no program."""


class Applier:
    """Performs steps against one engine; remembers the ids of what it created under their final names."""

    def __init__(
        self,
        engine: Engine,
        project: Project,
        observed: Observed,
        watch: Watch,
        *,
        wait_timeout: float,
        stop_timeout: int | None = None,
    ) -> None:
        self._engine = engine
        self._project = project
        self._watch = watch
        self.deadline = Deadline(wait_timeout)
        self.warnings: list[str] = []
        self._stop_timeout = stop_timeout
        self._observed = {container.id: container for container in observed.containers}
        self._ids = {container.name: container.id for container in observed.containers}
        self._replicas = {name: observed.by_number(name) for name in project.services}
        self._contents = observed.contents
        self._cancelled = Event()
        self._waits: list[Event] = []
        self._recovery = Recovery(engine, self._cancelled)
        self._carry_out = self._recovery.carry_out
        self._images = {name: image.id for name, image in observed.images.items() if image}

    def perform(self, step: Step) -> None:
        """Do what a step says; what is so already counts as done."""
        performers: dict[str, Callable[[Step], None]] = {
            "create network": self._create_network,
            "create volume": self._create_volume,
            "create container": self._create_container,
            "start container": self._start,
            "unpause container": self._unpause,
            "stop container": self._stop,
            "remove container": self._remove,
            "rename container": self._rename,
            "await healthy": self._await,
            "await completed": self._await,
            "remove network": self._remove_network,
            "remove volume": self._remove_volume,
            "remove image": self._remove_image,
        }
        try:
            performers[step.action](step)
        except NotFound as error:
            if step.action.startswith("remove"):
                return  # it is gone already, which is all that was wanted
            raise EngineFailed(
                f"{step.action} {step.target}: what it needs was removed meanwhile: {error.message}",
                hint="mcpctl up",
                details=error.details,
            ) from error

    def cancel(self) -> None:
        """End the waits that are under way: an interrupt must not last as long as they do."""
        self._cancelled.set()
        for wait in list(self._waits):
            wait.set()

    def _id(self, subject: str) -> str:
        return self._ids.get(subject, subject)

    def _create_network(self, step: Step) -> None:
        spec = self._project.networks[step.subject]
        self._carry_out(
            lambda: self._engine.create_network(spec, labels.network_labels(self._project, spec)),
            lambda: self._engine.find_network(spec.name) is not None,
        )

    def _create_volume(self, step: Step) -> None:
        spec = self._project.volumes[step.subject]
        self._carry_out(
            lambda: self._engine.create_volume(spec, labels.volume_labels(self._project, spec)),
            lambda: self._engine.find_volume(spec.name) is not None,
        )

    def _create_container(self, step: Step) -> None:
        service = self._resolved(self._project.services[step.service])
        image_id = self._images.get(service.image_name(self._project.name), "")
        own = labels.container_labels(
            self._project,
            service,
            step.number,
            image=image_id,
            contents=contents.label(service, self._contents),
        )
        if step.subject:
            own[labels.REPLACE] = service.container_name or f"{service.name}-{step.number}"
        replaced = self._observed.get(step.subject)
        placement = Placement(
            number=step.number,
            labels=own,
            links=self._links(service, step.number),
            inherited=inherited_volumes(service, replaced) if replaced else {},
            api_version=self._engine.api_version,
            proxies=self._engine.proxies,
        )
        spec = container_spec(self._project, service, placement)
        name = f"{step.subject[:12]}_{spec.name}" if step.subject else spec.name
        created = self._created(name, spec)
        self._ids[spec.name] = created
        self._replicas[service.name][step.number] = created
        for network, settings in spec.later_networks.items():
            self._connect(network, created, settings)

    def _created(self, name: str, spec: ContainerSpec) -> str:
        """Create a container, or find the very same that was created meanwhile, and return its id."""
        ids: list[str] = []

        def create() -> None:
            ids.append(self._engine.create_container(name, spec.config, spec.platform))

        def there() -> bool:
            found = self._engine.find_container(name)
            if found and _same(found, spec.config["Labels"]):
                ids.append(found.id)
            return bool(ids)

        self._carry_out(create, there)
        return ids[-1]

    def _connect(self, network: str, container: str, settings: Mapping[str, Any]) -> None:
        self._carry_out(
            lambda: self._engine.connect(network, container, settings),
            lambda: network in self._engine.container(container).network_ids,
        )

    def oneoff_spec(self, service: Service, name: str, slug: str) -> ContainerSpec:
        """Return what to create for `run`; the services that it refers to must be there."""
        service = self._resolved(service)
        image_id = self._images.get(service.image_name(self._project.name), "")
        placement = Placement(
            number=1,
            labels=labels.oneoff_labels(self._project, service, slug, image=image_id),
            links=self._links(service, 1),
            api_version=self._engine.api_version,
            oneoff_name=name,
            proxies=self._engine.proxies,
        )
        return container_spec(self._project, service, placement)

    def _resolved(self, service: Service) -> Service:
        first = {name: found[min(found)] for name, found in self._replicas.items() if found}
        profiles = with_profiles(service.security_opt, self._project.directory)
        return replace(resolve(service, first), security_opt=profiles)

    def _links(self, service: Service, number: int) -> tuple[str, ...]:
        """Return each linked container under the three aliases that compose gives it."""
        found: list[str] = []
        for entry in service.links:
            name, _, alias = entry.partition(":")
            other = self._project.services[name]
            for replica in sorted(self._replicas[name]):
                container = container_name(self._project.name, other, replica)
                aliases = (alias or name, f"{name}-{number}", f"{self._project.name}-{name}-{number}")
                found += [f"{container}:{each}" for each in aliases]
        return tuple(found)

    def _start(self, step: Step) -> None:
        self.deadline.left()  # its clock runs from here on
        container = self._id(step.subject)
        service = self._project.services.get(step.service)
        if service and (files := written_files(self._project, service)):
            self._carry_out(lambda: self._engine.write_files(container, files), lambda: False)
        observed = self._observed.get(container)
        before = observed.started_at if observed else NEVER

        def started() -> bool:
            """A one-shot may have ended already, and must not run twice."""
            found = self._engine.container(container)
            return found.running or found.state == "restarting" or found.started_at != before

        try:
            self._carry_out(lambda: self._engine.start(container), started)
        except PortTaken as error:
            raise self._with_holder(error, step) from error
        except EngineFailed as error:
            raise _not_started(error, step) from error

    def _unpause(self, step: Step) -> None:
        self._carry_out(
            lambda: self._engine.unpause(step.subject),
            lambda: self._engine.container(step.subject).state == "running",
        )

    def _stop(self, step: Step) -> None:
        def stopped() -> bool:
            found = self._engine.find_container(step.subject)
            return found is None or not (found.running or found.state == "restarting")

        self._carry_out(lambda: self._engine.stop(step.subject, self._stop_timeout), stopped)

    def _remove(self, step: Step) -> None:
        self._carry_out(
            lambda: self._engine.remove_container(step.subject, force=True),
            lambda: self._recovery.gone(step.subject),
        )
        for replicas in self._replicas.values():  # nobody may refer to it any more
            for number in [key for key, found in list(replicas.items()) if found == step.subject]:
                del replicas[number]

    def _rename(self, step: Step) -> None:
        container = self._id(step.subject)
        self._carry_out(
            lambda: self._engine.rename(container, step.target),
            lambda: self._engine.container(container).name == step.target,
        )

    def _remove_network(self, step: Step) -> None:
        def gone() -> bool:
            found = self._engine.find_network(step.target)
            return found is None or found.id != step.subject

        try:
            self._carry_out(lambda: self._engine.remove_network(step.subject), gone)
        except EngineFailed as error:
            raise self._with_users(error, step) from error

    def _with_users(self, error: EngineFailed, step: Step) -> EngineFailed:
        """Name the containers that keep a network from being removed."""
        network = self._engine.find_network(step.target)
        names = sorted(network.containers.values()) if network else []
        if not names:
            return error
        return EngineFailed(
            f"network {step.target} is in use by {', '.join(names)}",
            hint=f"docker network disconnect -f {step.target} {names[0]}",
            details={**error.details, "network": step.target, "holders": names},
        )

    def _remove_volume(self, step: Step) -> None:
        self._carry_out(
            lambda: self._engine.remove_volume(step.subject),
            lambda: self._engine.find_volume(step.subject) is None,
        )

    def _remove_image(self, step: Step) -> None:
        self._carry_out(
            lambda: self._engine.remove_image(step.subject),
            lambda: self._engine.find_image(step.subject) is None,
        )

    def _with_holder(self, error: PortTaken, step: Step) -> PortTaken:
        """Name the container that holds the port; the host's own processes are looked up by the caller."""
        port = error.details.get("port")
        address = str(error.details.get("address") or "")
        holder = self._engine.container_publishing(port, address) if isinstance(port, int) else None
        details = {**error.details, "service": step.service, "container": holder}
        if holder is None:
            return PortTaken(error.message, hint=error.hint, details=details)
        return PortTaken(
            f"{step.service}: port {port} is taken by container {holder}",
            hint=f"docker stop {holder}, or publish another port (.env, or ports in the compose file)",
            details=details,
        )

    def _await(self, step: Step) -> None:
        self._carry_out(lambda: self._await_once(step), lambda: False)

    def _await_once(self, step: Step) -> None:
        stop = Event()  # its own: a look that fails ends this wait and nothing else
        self._waits.append(stop)
        if self._cancelled.is_set():
            stop.set()
        containers = [
            container
            for container in self._engine.containers(
                [
                    f"{labels.PROJECT}={self._project.name}",
                    f"{labels.SERVICE}={step.service}",
                    f"{labels.ONEOFF}=False",
                ]
            )
            if service_of(container) == step.service
        ]
        left = self.deadline.left()
        found = wait_ready(
            self._engine,
            containers,
            timeout=left / 2 if step.optional else left,  # the rest is for those that start without it
            watch=self._watch,
            wanted=Wanted("completed" if step.action == "await completed" else "ready", step.optional),
            cancelled=stop,
        )
        cut_short = self._cancelled.is_set()  # then what is not ready yet is nobody's fault
        bad = {"failed"} if cut_short else {"failed", "waiting"}
        late = [item for item in found if item.verdict in bad]
        if late and step.optional:
            words = ", ".join(f"{item.container.name} {item.status}" for item in late)
            self.warnings.append(
                f"optional dependency {step.service}: {words}; what depends on it starts anyway"
            )
        elif late:
            found = [diagnose(self._engine, item) for item in late]
            raise unhealthy(found, timeout=self.deadline.seconds, consequence=step.why[0])


def _not_started(error: EngineFailed, step: Step) -> EngineFailed:
    """Name the service, and what to correct where its command cannot be run."""
    name = step.service or step.target
    reason = error.message.partition(": ")[2] or error.message
    hint = error.hint
    if hint is None and any(mark in reason for mark in _CANNOT_RUN):
        hint = f"correct command or entrypoint of {name} in the compose file, then: mcpctl up {name}"
    details = {**error.details, "service": step.service, "container": step.target}
    return EngineFailed(f"{name} cannot be started: {reason}", hint=hint, details=details)


def _same(container: Container, wanted: Mapping[str, str]) -> bool:
    """Tell whether a container is what would be created now."""
    return all(container.labels.get(key) == wanted.get(key) for key in _IDENTITY)
