"""A service's mounts in the engine's JSON, in the same two places (Binds, Mounts) that compose uses. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mcpctl.compose.contents import content
from mcpctl.engine.types import WrittenFile
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import FileObject, FileReference, Mount, Project, Service
    from mcpctl.engine.types import Container

Json = dict[str, Any]

_SECRETS, _CONFIGS = "/run/secrets/", "/"
_READABLE = 0o444


def binds(service: Service) -> list[str] | None:
    """Return bind mounts whose source the engine may create: only the Binds form can do that."""
    entries = [_bind(mount) for mount in service.mounts if _as_bind(mount)]
    return entries or None


def _as_bind(mount: Mount) -> bool:
    return mount.type == "bind" and mount.create_host_path


def _bind(mount: Mount) -> str:
    options = ["ro" if mount.read_only else "rw"]
    if mount.selinux:
        options.append(mount.selinux)
    if mount.propagation:
        options.append(mount.propagation)
    return f"{mount.source}:{mount.target}:{','.join(options)}"


def mounts(project: Project, service: Service, inherited: Mapping[str, str]) -> list[Json] | None:
    """Return all other mounts, secrets and configs included, one for each path: a later one wins.

    ``inherited`` are volumes of the container that is replaced, by path; named mounts go first.
    """
    anonymous = {mount.target for mount in service.mounts if _anonymous(mount)}
    entries: dict[str, Json] = {
        target: {"Type": "volume", "Source": volume, "Target": target} for target, volume in inherited.items()
    }
    for mount in service.mounts:
        if _as_bind(mount):
            entries.pop(mount.target, None)
        elif mount.target not in anonymous.intersection(inherited):
            entries[mount.target] = _mount(project, mount)
    taken = {mount.target for mount in service.mounts}
    for entry in (
        *_files(project.secrets, service.secrets, _SECRETS),
        *_files(project.configs, service.configs, _CONFIGS),
    ):
        if entry["Target"] not in taken:
            entries.setdefault(entry["Target"], entry)
    return list(entries.values()) or None


def _anonymous(mount: Mount) -> bool:
    return mount.type == "volume" and not mount.source


def inherited_volumes(service: Service, container: Container) -> dict[str, str]:
    """Return the volumes, by path, that have no name in the file and would be lost with their container."""
    declared = cast("Mapping[str, object]", container.raw["Config"].get("Volumes") or {})
    kept = {mount.target for mount in service.mounts if _anonymous(mount)} | set(declared)
    return {target: name for target, name in container.volumes.items() if target in kept}


def _mount(project: Project, mount: Mount) -> Json:
    entry: Json = {"Type": mount.type, "Target": mount.target}
    if mount.type == "volume" and mount.source:
        entry["Source"] = project.volumes[mount.source].name
    elif mount.source:
        entry["Source"] = mount.source
    if mount.read_only:
        entry["ReadOnly"] = True
    if mount.consistency:
        entry["Consistency"] = mount.consistency
    entry.update(_options(mount))
    return entry


def _options(mount: Mount) -> Json:
    if mount.type == "bind":
        return {"BindOptions": {"Propagation": mount.propagation}} if mount.propagation else {}
    if mount.type == "tmpfs":
        fields = {"SizeBytes": mount.tmpfs_size, "Mode": mount.tmpfs_mode}
        options = {key: value for key, value in fields.items() if value is not None}
        return {"TmpfsOptions": options} if options else {}
    options: Json = {"NoCopy": True} if mount.nocopy else {}
    if mount.subpath:
        options["Subpath"] = mount.subpath
    return {"VolumeOptions": options}


def _files(
    objects: Mapping[str, FileObject], references: tuple[FileReference, ...], folder: str
) -> list[Json]:
    return [
        {
            "Type": "bind",
            "Source": str(Path(file)),
            "Target": _target(reference, folder),
            "ReadOnly": True,
        }
        for reference in references
        if (file := objects[reference.source].file)
    ]


def _target(reference: FileReference, folder: str) -> str:
    target = reference.target or reference.source
    return target if target.startswith("/") else folder + target


def written_files(project: Project, service: Service) -> tuple[WrittenFile, ...]:
    """Return the secrets and configs that are no files of the host: they are written into the container.

    Raises:
        ConfigError: one is external, or its variable is not set.
    """
    found: list[WrittenFile] = []
    for objects, references, folder in (
        (project.secrets, service.secrets, _SECRETS),
        (project.configs, service.configs, _CONFIGS),
    ):
        for reference in references:
            definition = objects[reference.source]
            _refuse_external(definition)
            data = content(definition, project.environment)
            if data is not None:
                found.append(_written(reference, folder, data))
    return tuple(found)


def file_targets(service: Service) -> dict[str, str]:
    """Return the paths of a service's secrets and configs, each with its kind as the file names it."""
    found = {_target(use, _SECRETS): "secrets" for use in service.secrets}
    return found | {_target(use, _CONFIGS): "configs" for use in service.configs}


def _written(reference: FileReference, folder: str, data: bytes) -> WrittenFile:
    return WrittenFile(
        path=_target(reference, folder),
        data=data,
        mode=_READABLE if reference.mode is None else reference.mode,
        uid=_owner(reference, reference.uid),
        gid=_owner(reference, reference.gid),
    )


def _owner(reference: FileReference, text: str | None) -> int:
    if text and not text.isdigit():
        raise ConfigError(
            f"{reference.source!r}: {text!r} is no user or group number",
            hint="write uid and gid as numbers in the compose file",
            details={"key": reference.source},
        )
    return int(text or 0)


def _refuse_external(definition: FileObject) -> None:
    if definition.external:
        raise ConfigError(
            f"{definition.key!r} is external: only Swarm keeps secrets and configs",
            hint=f"give {definition.key} a `file`, `environment` or `content` in the compose file",
            details={"key": definition.key},
        )


def tmpfs(service: Service) -> dict[str, str] | None:
    """Return the short-form tmpfs mounts as path -> options."""
    entries = {path: options for path, _, options in (entry.partition(":") for entry in service.tmpfs)}
    return entries or None
