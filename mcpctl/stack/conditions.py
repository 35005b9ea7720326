"""What a service waits for before it starts: the conditions of ``depends_on``. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcpctl.stack.steps import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcpctl.compose.model import Service


@dataclass(frozen=True, slots=True)
class Runs:
    """For each service the steps after which it runs, and those after which replicas that leave are gone."""

    started: Mapping[str, Sequence[str]]
    left: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])


def conditions(
    service: Service, dependencies: frozenset[str], runs: Runs, steps: list[Step]
) -> tuple[str, ...]:
    """Return the steps after which ``service`` may start; waits that are not in ``steps`` yet are added.

    ``dependencies`` are the services that count. A wait looks at all replicas: none may be leaving.
    """
    needs: list[str] = []
    for name, dependency in service.depends_on.items():
        if name not in dependencies:
            continue
        after = tuple(runs.started.get(name, ()))
        if dependency.condition == "service_started":
            needs += after
            continue
        completed = dependency.condition == "service_completed_successfully"
        action = "await completed" if completed else "await healthy"
        identity = f"{action}:{name}" if dependency.required else f"{action}:{name}?"
        if all(step.id != identity for step in steps):
            why = f"{service.name} depends on it"
            why += "" if dependency.required else ", but starts without it too"
            optional = not dependency.required
            steps.append(
                Step(
                    identity,
                    action,
                    name,
                    (why,),
                    (*after, *runs.left.get(name, ())),
                    service=name,
                    optional=optional,
                )
            )
        needs.append(identity)
    return tuple(needs)
