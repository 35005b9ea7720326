"""Plan `up`: from the model and the snapshot to steps. Pure: no clock, no engine, no environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mcpctl.compose import labels
from mcpctl.engine.times import parse
from mcpctl.errors import NotFound
from mcpctl.stack.conditions import Runs, conditions
from mcpctl.stack.diverged import diverged
from mcpctl.stack.mounts import written_files
from mcpctl.stack.observe import number_of, service_of, stranded_name
from mcpctl.stack.order import in_start_order, selected
from mcpctl.stack.references import owners
from mcpctl.stack.spec import container_name
from mcpctl.stack.steps import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Network, Project, Service, Volume
    from mcpctl.engine.types import Container
    from mcpctl.stack.observe import Observed
    from mcpctl.stack.steps import Action


@dataclass(frozen=True, slots=True)
class UpChoice:
    """What `up` was asked for."""

    services: tuple[str, ...] = ()
    no_deps: bool = False
    force_recreate: bool = False
    no_recreate: bool = False
    remove_orphans: bool = False
    start: bool = True
    scale: Mapping[str, int] = field(default_factory=dict[str, int])


def plan_up(project: Project, observed: Observed, choice: UpChoice) -> Plan:
    """Return the steps that make the engine match the model, nothing more.

    Raises:
        NotFound: an external network or volume is not there, or a chosen service is not.
    """
    return _UpPlanner(project, observed, choice).plan()


class _UpPlanner:
    """Collects steps while it walks the services in start order."""

    def __init__(self, project: Project, observed: Observed, choice: UpChoice) -> None:
        self._project = project
        self._observed = observed
        self._choice = choice
        self._steps: list[Step] = []
        self._ready: dict[str, list[str]] = {}
        """For each service the ids of the steps after which it runs."""
        self._recreated: set[str] = set()
        self._anew: set[str] = set()
        """Services whose first replica does not stay: those that refer to it must be made anew too."""
        self._leaving: dict[str, list[str]] = {}
        """For each service the steps that remove surplus replicas: no wait for it may meet one half gone."""
        self._cleared: dict[str, list[str]] = {}
        """For each service the steps after which the names of broken recreates are free again."""

    def plan(self) -> Plan:
        chosen = selected(self._project, self._choice.services, with_dependencies=not self._choice.no_deps)
        self._networks(chosen)
        self._volumes(chosen)
        for name in in_start_order(self._project):
            if name in chosen:
                self._service(self._project.services[name])
        if self._choice.remove_orphans:
            for container in self._observed.orphans(self._project):
                self._remove(container, "its service is no longer in the files")
        return tuple(self._steps)

    def _add(self, step: Step) -> str:
        self._steps.append(step)
        return step.id

    def _networks(self, chosen: frozenset[str]) -> None:
        keys = {key for name in chosen for key in self._project.services[name].networks}
        for key in sorted(keys):
            self._ensure("network", self._project.networks[key], self._observed.networks)

    def _volumes(self, chosen: frozenset[str]) -> None:
        mounts = [mount for name in chosen for mount in self._project.services[name].mounts]
        for key in sorted({mount.source for mount in mounts if mount.type == "volume" and mount.source}):
            self._ensure("volume", self._project.volumes[key], self._observed.volumes)

    def _ensure(
        self, kind: Literal["network", "volume"], spec: Network | Volume, there: Mapping[str, object]
    ) -> None:
        """Create what does not exist; what is external must be there already."""
        if spec.name in there:
            return
        if spec.external:
            raise NotFound(
                f"external {kind} {spec.name} does not exist",
                hint=f"docker {kind} create {spec.name}",
                details={kind: spec.name},
            )
        action: Action = "create network" if kind == "network" else "create volume"
        self._add(Step(f"{kind}:{spec.key}", action, spec.name, ("it does not exist",), subject=spec.key))

    def _service(self, service: Service) -> None:
        written_files(self._project, service)  # refused before anything is changed
        wanted = self._choice.scale.get(service.name, service.scale)
        existing = list(self._observed.of(service.name))
        self._adopt_stranded(service, existing)
        reasons = {item.id: self._why_recreate(service, item) for item in existing}
        kept = sorted(existing, key=lambda item: (bool(reasons[item.id]), number_of(item)))[:wanted]
        taken = {number_of(container) for container in kept}
        free = (number for number in range(1, wanted + len(taken) + 1) if number not in taken)
        fresh = [next(free) for _ in range(wanted - len(kept))]
        unchanged = {number_of(item): item.id for item in kept if not reasons[item.id]}
        if not self._first_stays(service, unchanged, {*taken, *fresh}):
            self._anew.add(service.name)
        for container in existing:
            if container not in kept:
                self._remove(container, f"{service.name} is scaled to {wanted}")
        for container in sorted(kept, key=number_of):
            self._existing(service, container, reasons[container.id])
        for number in fresh:
            self._create(service, number)

    def _first_stays(self, service: Service, unchanged: Mapping[int, str], numbers: set[int]) -> bool:
        """Tell whether the replica that others refer to is the same after the plan as before."""
        before = self._observed.first_ids([service.name]).get(service.name)
        return bool(numbers) and before is not None and unchanged.get(min(numbers)) == before

    def _adopt_stranded(self, service: Service, existing: list[Container]) -> None:
        """Remove what a broken recreate left beside its old container; where that is gone, it stands for it.

        Then it is the only one that still holds the old one's anonymous volumes.
        """
        there = {container.id[:12] for container in self._observed.containers}
        for container in self._observed.stranded(service.name):
            name = stranded_name(container) or ""
            if container.name[:12] in there or any(item.name == name for item in existing):
                removed = self._remove(container, "an interrupted recreate left it behind")
                self._cleared.setdefault(service.name, []).append(removed)
            else:
                existing.append(container)

    def _named(self, container: Container) -> tuple[str, ...]:
        """Give a container its final name where a broken recreate did not come to it."""
        name = stranded_name(container)
        if name is None:
            return ()
        why = ("an interrupted recreate left it under another name",)
        step = Step(f"rename:{container.id}", "rename container", name, why, subject=container.id)
        return (self._add(step),)

    def _why_recreate(self, service: Service, container: Container) -> tuple[str, ...]:
        if self._choice.no_recreate:
            return ()
        if self._choice.force_recreate:
            return ("--force-recreate",)
        there = self._observed.first_ids(owners(service))
        for name in sorted(owners(service)):
            if name in self._anew or name not in there:
                return (f"it shares what {name} has, and {name} is made anew",)
        return diverged(self._project, service, container, self._observed)

    def _existing(self, service: Service, container: Container, reasons: tuple[str, ...]) -> None:
        if reasons:
            self._recreate(service, container, reasons)
            return
        named = (*self._named(container), *self._ground(service))
        name = stranded_name(container) or container.name
        if not container.running:
            self._start(service, name, (f"it is {container.state}",), container.id, needs=named)
        elif cause := self._restart_cause(service, container):
            stop = self._stop(container, cause, needs=named)
            self._start(service, name, (cause,), container.id, needs=(stop,))

    def _restart_cause(self, service: Service, container: Container) -> str:
        for name, dependency in service.depends_on.items():
            if dependency.restart and (name in self._recreated or self._missed(name, container)):
                return f"{name} is recreated and depends_on.{name}.restart is true"
        return ""

    def _missed(self, name: str, container: Container) -> bool:
        """Tell whether a dependency was recreated since a container started: the restart was interrupted."""
        return any(
            labels.REPLACE in item.labels
            and "Created" in item.raw
            and parse(str(item.raw["Created"])) > parse(container.started_at)
            for item in self._observed.of(name)
        )

    def _recreate(self, service: Service, container: Container, reasons: tuple[str, ...]) -> None:
        """Create beside the old one, then swap: a failed creation leaves the old one untouched.

        It waits for the dependencies first: where they fail, nothing is left beside the old one.
        """
        self._recreated.add(service.name)
        number = number_of(container)
        name = container_name(self._project.name, service, number)
        create = self._add(
            Step(
                f"create:{name}",
                "create container",
                name,
                reasons,
                needs=(*self._ground(service), *self._dependencies(service)),
                service=service.name,
                number=number,
                subject=container.id,
            )
        )
        stop = self._stop(container, "it is replaced", needs=(create,))
        remove = self._add(
            Step(
                f"remove:{container.id}",
                "remove container",
                container.name,
                ("it is replaced",),
                needs=(stop,),
                subject=container.id,
            )
        )
        rename = self._add(
            Step(
                f"rename:{name}", "rename container", name, ("its old one is gone",), (remove,), subject=name
            )
        )
        if self._choice.start:
            self._start(service, name, ("it is new",), needs=(rename,))

    def _create(self, service: Service, number: int) -> None:
        name = container_name(self._project.name, service, number)
        create = self._add(
            Step(
                f"create:{name}",
                "create container",
                name,
                ("it does not exist",),
                needs=self._ground(service),
                service=service.name,
                number=number,
            )
        )
        if self._choice.start:
            self._start(service, name, ("it is new",), needs=(create,))

    def _ground(self, service: Service) -> tuple[str, ...]:
        """Return the steps that make what a container stands on: networks, volumes, others' containers."""
        keys = {f"network:{key}" for key in service.networks}
        keys |= {f"volume:{mount.source}" for mount in service.mounts if mount.type == "volume"}
        keys |= set(self._cleared.get(service.name, ()))
        others = owners(service) | {link.partition(":")[0] for link in service.links}
        keys |= {step for name in others for step in self._leaving.get(name, ())}
        return tuple(
            step.id
            for step in self._steps
            if step.id in keys or (step.action == "create container" and step.service in others)
        )

    def _start(
        self,
        service: Service,
        name: str,
        why: tuple[str, ...],
        container: str = "",
        needs: tuple[str, ...] = (),
    ) -> None:
        start = self._add(
            Step(
                f"start:{name}",
                "start container",
                name,
                why,
                needs=(*needs, *self._dependencies(service)),
                service=service.name,
                subject=container or name,
            )
        )
        self._ready.setdefault(service.name, []).append(start)

    def _stop(self, container: Container, why: str, needs: tuple[str, ...] = ()) -> str:
        return self._add(
            Step(
                f"stop:{container.id}", "stop container", container.name, (why,), needs, subject=container.id
            )
        )

    def _remove(self, container: Container, why: str) -> str:
        stop = self._stop(container, why)
        removed = self._add(
            Step(
                f"remove:{container.id}",
                "remove container",
                container.name,
                (why,),
                needs=(stop,),
                subject=container.id,
            )
        )
        self._leaving.setdefault(service_of(container), []).append(removed)
        return removed

    def _dependencies(self, service: Service) -> tuple[str, ...]:
        """Return the steps after which a service's dependencies are as it wants them."""
        known = frozenset[str]() if self._choice.no_deps else frozenset(self._project.services)
        return conditions(service, known, Runs(self._ready, self._leaving), self._steps)


def unlabelled(project: Project, observed: Observed) -> tuple[str, ...]:
    """Warn about volumes and networks of the right name that belong to somebody else."""
    warnings: list[str] = []
    for kind, specs, found in (
        ("volume", project.volumes, observed.volumes),
        ("network", project.networks, observed.networks),
    ):
        for spec in specs.values():
            there = found.get(spec.name)
            if there and not spec.external and there.labels.get(labels.PROJECT) != project.name:
                warnings.append(f"{kind} {spec.name} was not created by this project; it is used as it is")
    return tuple(warnings)
