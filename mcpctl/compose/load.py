"""Read a project: discovery, environment, files, merge, checks, resolved model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcpctl.compose import fields
from mcpctl.compose.assemble import Assembly, empty_project
from mcpctl.compose.build_model import build_file_object, build_network, build_service, build_volume
from mcpctl.compose.canonical import with_defaults
from mcpctl.compose.consistency import check_resources, check_services
from mcpctl.compose.discovery import Where, discover, no_project_file
from mcpctl.compose.env_files import resolve_env_files, resolve_label_files
from mcpctl.compose.environment import Surroundings, read_text, survey
from mcpctl.compose.faults import Origins, TreeFault
from mcpctl.compose.model import Project
from mcpctl.compose.names import check_project_name, normalise_project_name
from mcpctl.compose.normalise import normalise
from mcpctl.compose.notices import notices
from mcpctl.compose.paths import absolute_paths
from mcpctl.compose.substitute import substitute
from mcpctl.compose.trees import Tree, is_mapping, table_at
from mcpctl.compose.yaml_source import Document, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECTIONS = {
    "configs": fields.FILE_OBJECT,
    "networks": fields.NETWORK,
    "secrets": fields.FILE_OBJECT,
    "volumes": fields.VOLUME,
}


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which project to read. ``working_directory`` is absolute; discovery walks up from it.

    ``profiles`` are added to ``COMPOSE_PROFILES``; ``*`` stands for all.
    """

    working_directory: Path
    environ: Mapping[str, str]
    project_directory: Path | None = None
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    project_name: str | None = None
    profiles: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        """Return the part of the request that decides on the files."""
        return Where(self.working_directory, self.project_directory, self.files)


def find_files(request: LoadRequest) -> tuple[Path, ...]:
    """Return the project's files without reading them; raise ConfigError where there are none."""
    return _surroundings(request).found.files


def load(request: LoadRequest) -> Project:
    """Return the resolved project; raise ConfigError, with file, line, column and key where known."""
    return _Loader(request, _surroundings(request)).project()


def _surroundings(request: LoadRequest) -> Surroundings:
    around = survey(request.where, request.env_files, request.environ)
    if not around.found.files:
        raise no_project_file(discover(request.where, {}).directory)
    return around


class _Loader:
    """One run through the stages, in compose's order."""

    def __init__(self, request: LoadRequest, around: Surroundings) -> None:
        self.request = request
        self.around = around
        self.variables = dict(around.variables)
        self.unset = dict.fromkeys(around.unset)
        self.assembly = Assembly(warnings=list(around.found.warnings))

    def note_unset(self, name: str) -> None:
        self.unset.setdefault(name)

    def project(self) -> Project:
        documents = self._documents()
        name = self._name(documents)
        self.variables["COMPOSE_PROJECT_NAME"] = name
        for document in documents:
            self.assembly.lay(document, self.variables.get, self.note_unset)
        if not self.assembly.tree:
            raise empty_project(str(self.around.found.files[0]))
        try:
            return self._resolved(name)
        except TreeFault as fault:
            raise self.assembly.origins.error(fault) from None

    def _documents(self) -> list[Document]:
        files = self.around.found.files
        return [document for file in files for document in read(read_text(file, "project file"), str(file))]

    def _name(self, documents: list[Document]) -> str:
        if self.request.project_name:
            return check_project_name(self.request.project_name, "-p")
        if given := self.variables.get("COMPOSE_PROJECT_NAME"):
            return check_project_name(given, "COMPOSE_PROJECT_NAME")
        named = [doc for doc in documents if is_mapping(doc.tree) and doc.tree.get("name")]
        try:
            raw = self._interpolated_name(named[-1]) if named else self.around.found.directory.name
            return _derived_name(raw)
        except TreeFault as fault:
            raise Origins([(doc.file, doc.marks) for doc in named]).error(fault) from None

    def _interpolated_name(self, document: Document) -> str:
        written = {"name": str(document.tree["name"])}
        return substitute(written, self.variables.get, self.note_unset)["name"]

    def _resolved(self, name: str) -> Project:
        tree: Tree = with_defaults(self.assembly.tree)
        check_resources(tree)
        absolute_paths(tree, str(self.around.found.directory), self.variables.get("HOME"))
        normalise(tree, name, self.variables)
        enabled, disabled = self._by_profile(tree.get("services", {}))
        check_services(tree, enabled, disabled)
        self.assembly.warnings += notices(enabled)
        return self._built(name, self._model(name, tree, enabled), disabled)

    def _by_profile(self, services: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        wanted = {part.strip() for part in self.variables.get("COMPOSE_PROFILES", "").split(",")}
        wanted |= set(self.request.profiles)
        enabled: dict[str, Any] = {}
        disabled: dict[str, Any] = {}
        for name, service in sorted(services.items()):
            profiles: list[str] = service.get("profiles") or []
            on = not profiles or "*" in wanted or not wanted.isdisjoint(profiles)
            (enabled if on else disabled)[name] = service
        return enabled, disabled

    def _model(self, name: str, tree: Tree, enabled: dict[str, Any]) -> dict[str, Any]:
        services: dict[str, Any] = {}
        for key, service in enabled.items():
            resolve_env_files(key, service, self.variables, self.note_unset)
            resolve_label_files(key, service, self.note_unset)
            services[key] = fields.SERVICE(service, ("services", key))
        model: dict[str, Any] = {"name": name, "services": services}
        for section, convert in _SECTIONS.items():
            used = _used(section, services)
            kept = {
                key: convert(tree[section][key], (section, key))
                for key in sorted(tree.get(section, {}))
                if key in used
            }
            if kept:
                model[section] = kept
        model |= {key: value for key, value in tree.items() if key.startswith("x-")}
        return dict(sorted(model.items()))

    def _built(self, name: str, model: dict[str, Any], disabled: dict[str, Any]) -> Project:
        services: dict[str, Any] = model["services"]
        enabled = frozenset(services)
        unset = [f"the variable {variable} is not set: it becomes empty" for variable in self.unset]
        return Project(
            name=name,
            directory=self.around.found.directory,
            files=self.around.found.files,
            env_files=self.around.env_files,
            environment=self.variables,
            services={key: build_service(key, value, enabled) for key, value in services.items()},
            disabled=tuple(sorted(disabled)),
            networks={key: build_network(key, value) for key, value in model.get("networks", {}).items()},
            volumes={key: build_volume(key, value) for key, value in model.get("volumes", {}).items()},
            secrets={key: build_file_object(key, value) for key, value in model.get("secrets", {}).items()},
            configs={key: build_file_object(key, value) for key, value in model.get("configs", {}).items()},
            model=model,
            warnings=(*unset, *self.assembly.warnings),
        )


def _derived_name(raw: str) -> str:
    name = normalise_project_name(raw)
    if not name:
        raise TreeFault(("name",), f"no project name can be made of {raw!r}", hint="give one: -p NAME")
    return name


def _used(section: str, services: dict[str, Any]) -> set[str]:
    """Return the resources that an enabled service refers to: compose leaves the others alone."""
    used: set[str] = set()
    for service in services.values():
        match section:
            case "networks":
                used |= set(service.get("networks", {}))
            case "volumes":
                used |= {
                    mount.get("source", "")
                    for mount in service.get("volumes", ())
                    if mount["type"] == "volume"
                }
            case _:
                uses = [*service.get(section, ()), *table_at(service, "build").get(section, ())]
                used |= {use["source"] for use in uses}
    return used
