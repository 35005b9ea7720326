"""The command line that buildx gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpctl.engine.buildx import arguments, hidden_arguments
from mcpctl.engine.context import open_context
from mcpctl.engine.dockerfile import parse
from mcpctl.engine.recipe import Recipe
from mcpctl.engine.types import BuildSecret, BuildSpec

if TYPE_CHECKING:
    from pathlib import Path


def test_everything_that_is_asked_for_stands_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    spec = BuildSpec(
        tag="app:1", context=str(tmp_path), dockerfile="Dockerfile", target="t", args={"A": "1=2", "B": None},
        labels={"l": "v"}, cache_from=("c",), network="host", platform="linux/amd64", pull=True,
        no_cache=True, extra_hosts=("db:10.0.0.1",), shm_size=64, more_tags=("app:two",),
        cache_to=("type=inline",), contexts={"more": "/x"},
        secrets=(BuildSecret("a", file='/with, comma"'), BuildSecret("b", variable="TOKEN")),
    )  # fmt: skip
    recipe = Recipe(open_context(str(tmp_path), "Dockerfile"), parse(""), {})
    line = " ".join(arguments(spec, recipe))
    assert line == (
        "build --progress plain --load --provenance=false --tag app:1 --tag app:two --build-arg A=1=2 "
        "--build-arg B --label l=v --cache-from c --cache-to type=inline --add-host db:10.0.0.1 "
        '--secret id=a,"src=/with, comma""" --secret id=b,env=TOKEN --build-context more=/x '
        f"--target t --network host --platform linux/amd64 --shm-size 64 --file {tmp_path}/Dockerfile "
        f"--pull --no-cache -- {tmp_path}"
    )


def test_an_argument_that_looks_like_a_secret_is_no_part_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    args = {"NPM_TOKEN": "hunter2", "SOURCE": "https://u:hunter3@x", "LEVEL": "1", "API_KEY": None}
    spec = BuildSpec(tag="a", context=str(tmp_path), dockerfile="Dockerfile", args=args)
    hidden = hidden_arguments(spec, {"HOME": "/"})
    assert hidden == {"NPM_TOKEN": "hunter2", "SOURCE": "https://u:hunter3@x"}
    recipe = Recipe(open_context(str(tmp_path), "Dockerfile"), parse(""), {})
    line = " ".join(arguments(spec, recipe, hidden))
    assert "--build-arg NPM_TOKEN --build-arg SOURCE --build-arg LEVEL=1 --build-arg API_KEY " in line
    assert hidden_arguments(spec, {"NPM_TOKEN": "for buildx itself"}).keys() == {"SOURCE"}
