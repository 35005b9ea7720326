"""Write a small project and read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.model import Project
from mcpctl.errors import ConfigError

Reader = Callable[..., Project]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    return place


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], Path]:
    def to_file(name: str, text: str) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return to_file


@pytest.fixture
def read(folder: Path, write: Callable[[str, str], Path]) -> Reader:
    def project(
        text: str, environ: dict[str, str] | None = None, **request: tuple[str, ...] | str
    ) -> Project:
        write("compose.yaml", text)
        return load(LoadRequest(folder, {"HOME": "/home/me"} | (environ or {}), **request))

    return project


@pytest.fixture
def refusal(read: Reader) -> Callable[..., ConfigError]:
    def error(
        text: str, environ: dict[str, str] | None = None, **request: tuple[str, ...] | str
    ) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            read(text, environ, **request)
        return caught.value

    return error
