"""Build and pull images, with each line of progress handed to the caller."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mcpctl.engine.failures import translated
from mcpctl.errors import EngineFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mcpctl.engine.client import Engine
    from mcpctl.engine.recipe import Recipe
    from mcpctl.engine.types import BuildSpec

KEPT_LINES = 20
_BOOKKEEPING = (" ---> ", "Removing intermediate container ")
_NO_BASE = (
    "pull access denied",
    "manifest unknown",
    "No such image",
    "no such image",
    "failed to resolve source metadata",
    "failed to do request",
)


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build; ``context_digest`` is of what was sent, empty where the builder read the folder."""

    image_id: str
    context_digest: str = ""


def build(engine: Engine, spec: BuildSpec, recipe: Recipe, report: Callable[[str], None]) -> Built:
    """Build an image with the engine's own builder.

    Raises:
        EngineFailed: with the failing step and its last lines of output.
    """
    context, digest = recipe.context, hashlib.sha256()
    with translated(engine.endpoint, f"building {spec.tag}"):
        answer = engine.api.post(
            f"{engine.api.base_url}/v{engine.api.api_version}/build",
            params=_parameters(engine, spec, context.dockerfile),
            headers={"Content-Type": "application/x-tar", **_registry_credentials(engine)},
            data=context.stream(digest),
            stream=True,
            timeout=(10, None),  # a step may be silent for as long as it takes
        )
        with answer:
            if answer.status_code != 200:
                raise EngineFailed(f"building {spec.tag}: {_message(answer.text)}")
            _follow(spec.tag, _objects(answer.iter_lines()), report)
    return Built(built_image(engine, spec), digest.hexdigest())


def built_image(engine: Engine, spec: BuildSpec) -> str:
    """Return the id of the image that a build has just left."""
    image = engine.find_image(spec.tag)
    if image is None:
        raise EngineFailed(f"building {spec.tag}: the build ended but left no image", hint="mcpctl build")
    return image.id


def _parameters(engine: Engine, spec: BuildSpec, dockerfile: str) -> dict[str, str | list[str]]:
    parameters: dict[str, str | list[str] | None] = {
        "t": [spec.tag, *spec.more_tags],
        "dockerfile": dockerfile,
        "target": spec.target,
        "buildargs": json.dumps(arguments) if (arguments := {**engine.proxies, **spec.args}) else None,
        "labels": json.dumps(dict(spec.labels)) if spec.labels else None,
        "cachefrom": json.dumps(list(spec.cache_from)) if spec.cache_from else None,
        "networkmode": spec.network,
        "extrahosts": list(spec.extra_hosts) or None,
        "shmsize": str(spec.shm_size) if spec.shm_size else None,
        "platform": spec.platform,
        "pull": "1" if spec.pull else None,
        "nocache": "1" if spec.no_cache else None,
        "rm": "1",
        "forcerm": "1",
    }
    return {key: value for key, value in parameters.items() if value is not None}


def _registry_credentials(engine: Engine) -> dict[str, str]:
    """Return the header that lets a build pull from private registries, as the SDK's own build sends it."""
    headers: dict[str, str] = {}
    engine.api._set_auth_headers(headers)  # noqa: SLF001 - the SDK has no public way to it
    return headers


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text


def _objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield cast("dict[str, Any]", json.loads(line))
        except ValueError as error:
            raise EngineFailed(f"the engine sent a line that is not JSON: {line[:200]!r}") from error


def _follow(tag: str, events: Iterator[dict[str, Any]], report: Callable[[str], None]) -> None:
    step, last = "", list[str]()
    for event in events:
        if error := event.get("error"):
            raise failed_build(tag, step, str(error), last[-KEPT_LINES:])
        for line in str(event.get("stream") or event.get("status") or "").splitlines():
            if not line.strip():
                continue
            if line.startswith("Step "):
                step = line
                last.clear()
            if not line.startswith(_BOOKKEEPING):
                last.append(line)
            report(line)


def failed_build(tag: str, step: str, error: str, last: Iterable[str]) -> EngineFailed:
    """Make the error for a build that failed at a step, with the step's last lines."""
    hint = "mcpctl -v build shows every line"
    if any(words in error for words in _NO_BASE):
        hint = "load or build the image that it starts from, name another one, or: mcpctl doctor"
    if "unsupported frontend capability" in error:
        hint = "build.additional_contexts needs a newer BuildKit: that of Docker Engine 23 or later"
    return EngineFailed(
        f"building {tag} failed at {step or 'its first step'}: {error}",
        hint=hint,
        details={"step": step, "output": "\n".join(last)},
    )


def pull(engine: Engine, image: str, report: Callable[[str], None], *, timeout: float = 600) -> None:
    """Pull an image; ``timeout`` is the longest silence in seconds.

    Raises:
        EngineFailed: the registry cannot be reached, has no such image or refuses it.
    """
    name, tag = split_reference(image)
    with translated(engine.endpoint, f"pulling {image}"):
        answer = engine.api.post(
            f"{engine.api.base_url}/v{engine.api.api_version}/images/create",
            params={"fromImage": name, "tag": tag},
            headers=_pull_credentials(engine, name),
            stream=True,
            timeout=(10, timeout),
        )
        with answer:
            if answer.status_code != 200:
                raise EngineFailed(f"pulling {image}: {_message(answer.text)}", hint=f"docker pull {image}")
            for event in _objects(answer.iter_lines()):
                if error := event.get("error"):
                    raise EngineFailed(f"pulling {image}: {error}", hint=f"docker pull {image}")
                report(" ".join(str(event[key]) for key in ("id", "status") if event.get(key)))


def split_reference(image: str) -> tuple[str, str]:
    """Split an image's reference into its name and its digest, its tag, or ``latest``."""
    name, at, digest = image.partition("@")
    last = name.rsplit("/", 1)[-1]
    repository, _, tag = name.rpartition(":") if ":" in last else (name, ":", "latest")
    return (repository, digest) if at else (repository, tag)


def _pull_credentials(engine: Engine, repository: str) -> dict[str, str]:
    from docker import auth

    registry, _name = auth.resolve_repository_name(repository)
    header: bytes | None = auth.get_config_header(engine.api, registry)  # pyright: ignore[reportUnknownMemberType] - the SDK ships no types
    return {"X-Registry-Auth": header.decode()} if header else {}
