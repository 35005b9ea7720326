"""Every project of the corpus, read by mcpctl and by docker compose: equal models, or both refuse."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.model import Project
from mcpctl.compose.output import document
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(folder.name for folder in CORPUS.iterdir())


@dataclass(frozen=True)
class Case:
    """One folder of the corpus, copied to where both programs read it."""

    expect: str
    request: LoadRequest


def prepare(name: str, target: Path, environ: Mapping[str, str]) -> Case:
    folder = target / name
    shutil.copytree(CORPUS / name, folder)
    arguments: dict[str, Any] = json.loads((folder / "args.json").read_text())
    (folder / "args.json").unlink()
    # The repository ignores .env, so the corpus keeps these files under another name.
    for file in [*folder.rglob("dotenv")]:
        file.rename(file.with_name(".env"))
    directory = arguments.get("project_directory")
    return Case(
        arguments["expect"],
        LoadRequest(
            working_directory=folder / arguments.get("cwd", "."),
            environ={**environ, **arguments.get("environ", {})},
            project_directory=Path(directory) if directory else None,
            files=tuple(arguments.get("files", ())),
            env_files=tuple(arguments.get("env_files", ())),
            project_name=arguments.get("project_name"),
            profiles=tuple(arguments.get("profiles", ())),
        ),
    )


def read(request: LoadRequest) -> Project | ConfigError:
    try:
        return load(request)
    except ConfigError as error:
        return error


@pytest.mark.parametrize("name", NAMES)
def test_a_project_resolves_as_in_compose(
    name: str, tmp_path: Path, environ: Mapping[str, str], compose: Any
) -> None:
    case = prepare(name, tmp_path, environ)
    ours, theirs = read(case.request), compose.config(case.request)
    if case.expect == "equal":
        assert isinstance(ours, Project), ours
        assert isinstance(theirs, dict), theirs
        assert document(ours.model) == theirs
    elif case.expect == "refused":
        assert isinstance(ours, ConfigError), ours
        assert not isinstance(theirs, dict), theirs
    else:
        assert isinstance(ours, ConfigError), ours
        assert isinstance(theirs, dict), theirs
    compose.seen[
        {"equal": "equal models", "refused": "equal refusals"}.get(case.expect, "refused by us alone")
    ] += 1


def equal_names() -> list[str]:
    return [
        name for name in NAMES if json.loads((CORPUS / name / "args.json").read_text())["expect"] == "equal"
    ]


def reads_more_files(name: str) -> bool:
    written = "".join(file.read_text() for file in (CORPUS / name).rglob("*.y*ml"))
    return "env_file:" in written or "label_file:" in written


@pytest.mark.parametrize("name", equal_names())
def test_service_hashes_equal_those_of_compose(
    name: str, tmp_path: Path, environ: Mapping[str, str], compose: Any
) -> None:
    case = prepare(name, tmp_path, environ)
    project = load(case.request)
    request = case.request
    if reads_more_files(name):
        # `config --hash` leaves these files out, `up` does not: its hash is that of the resolved project.
        resolved = tmp_path / "resolved.json"
        resolved.write_text(json.dumps(document(project.model)))
        request = LoadRequest(project.directory, environ, files=(str(resolved),), profiles=("*",))
    ours = {key: service.config_hash for key, service in project.services.items()}
    assert ours == compose.hashes(request)
    compose.seen["service hashes"] += len(ours)
