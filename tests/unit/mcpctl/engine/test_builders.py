"""Who builds: what is installed decides, unless DOCKER_BUILDKIT does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpctl.engine import builders
from mcpctl.engine.builders import choose_builder
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_system_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "SYSTEM_FOLDERS", ())


def install(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "docker-buildx"
    program.touch()
    program.chmod(mode)
    return program


def test_without_the_plugin_the_engine_builds(tmp_path: Path) -> None:
    install(tmp_path / ".docker" / "cli-plugins", 0o644)
    found = choose_builder({"HOME": str(tmp_path)})
    assert (found.name, found.program, found.reason) == ("classic", None, "docker buildx is not installed")


def test_plugins_are_looked_for_where_the_docker_cli_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = install(tmp_path / "system")
    monkeypatch.setattr(builders, "SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    environ = {"HOME": str(tmp_path)}
    assert choose_builder(environ).program == system
    own = install(tmp_path / ".docker" / "cli-plugins")
    assert choose_builder(environ).program == own
    other = install(tmp_path / "config" / "cli-plugins")
    environ["DOCKER_CONFIG"] = str(tmp_path / "config")
    assert choose_builder(environ).program == other
    extra = install(tmp_path / "extra")
    (tmp_path / "config" / "config.json").write_text(f'{{"cliPluginsExtraDirs": ["{extra.parent}"]}}')
    assert choose_builder(environ).program == extra
    (tmp_path / "config" / "config.json").write_text("broken")
    assert choose_builder(environ).program == other


@pytest.mark.parametrize("value", ["0", "false", "F"])
def test_docker_buildkit_switches_buildx_off(tmp_path: Path, value: str) -> None:
    install(tmp_path / ".docker" / "cli-plugins")
    found = choose_builder({"HOME": str(tmp_path), "DOCKER_BUILDKIT": value})
    assert (found.name, found.reason) == ("classic", f"DOCKER_BUILDKIT={value}")


def test_docker_buildkit_without_buildx_or_without_sense_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="buildx is not installed") as raised:
        choose_builder({"HOME": str(tmp_path), "DOCKER_BUILDKIT": "1"})
    assert "docker-buildx" in (raised.value.hint or "")
    with pytest.raises(ConfigError, match="neither true nor false"):
        choose_builder({"HOME": str(tmp_path), "DOCKER_BUILDKIT": "maybe"})
