"""Each call of the engine room against the real engine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from mcpctl.compose.model import Network, Volume
from mcpctl.engine.build import build, pull
from mcpctl.engine.client import Engine
from mcpctl.engine.recipe import read_recipe
from mcpctl.engine.streams import PIECE, ExecTimedOut, logs, run_in_container
from mcpctl.engine.types import BuildSpec, Endpoint
from mcpctl.errors import EngineFailed, EngineUnreachable, NotFound
from tests.engine.stack import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Make = Callable[..., str]


@pytest.fixture
def removed(engine: Engine) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Return a function that notes how to remove what a test made."""
    undo: list[Callable[[], Any]] = []
    yield undo.append
    for each in reversed(undo):
        each()


def test_the_engine_says_who_it_is(engine: Engine) -> None:
    info = engine.info()
    assert info.version
    assert info.cpus > 0
    assert info.to_json()["api_version"] == ".".join(map(str, engine.api_version))
    assert engine.api_version >= (1, 41)


def test_what_is_read_without_the_sdk_is_what_the_sdk_reads(
    engine: Engine, container: Make, image: str
) -> None:
    made = container("sleep", "60")
    assert engine.endpoint.url.startswith("unix://")
    assert engine.container(made).raw == engine.api.inspect_container(made)
    assert engine.version.api == engine.api.api_version
    assert engine.version.release == engine.info().version == engine.api.info()["ServerVersion"]
    assert image in engine.tags(image.partition(":")[0])
    found, listed = engine.find_image(image), engine.api.inspect_image(image)
    assert found
    assert found.id == listed["Id"]
    names = {network.name for network in engine.networks([])}
    assert {row["Name"] for row in engine.api.networks()} >= {"bridge"} <= names


def test_nobody_at_the_endpoint_is_told_with_the_endpoint(tmp_path: Path) -> None:
    absent = Engine(Endpoint(f"unix://{tmp_path}/no.sock", "a test"))
    with pytest.raises(EngineUnreachable, match=r"no\.sock \(a test\): no such file or directory"):
        absent.info()


def test_a_container_lives_from_creation_to_removal(engine: Engine, container: Make, fresh_name: str) -> None:
    made = container("sleep", "60", start=False)
    assert engine.container(made).state == "created"
    engine.start(made)
    engine.start(made)
    assert engine.container(made).running
    engine.rename(made, fresh_name)
    assert engine.container(fresh_name).id == made
    engine.stop(made, 0)
    assert engine.container(made).state == "exited"
    engine.stop(made, 0)
    engine.remove_container(made)
    assert engine.find_container(made) is None
    with pytest.raises(NotFound):
        engine.container(made)
    with pytest.raises(NotFound):
        engine.start(made)


def test_a_grace_of_zero_is_a_grace(engine: Engine, container: Make) -> None:
    stubborn = container("sh", "-c", "trap '' TERM; while true; do sleep 1; done", StopTimeout=0)
    engine.stop(stubborn)
    assert engine.container(stubborn).exit_code == 137


def test_a_name_that_is_taken_is_refused_in_the_engines_words(engine: Engine, container: Make) -> None:
    name = engine.container(container("true", start=False)).name
    with pytest.raises(EngineFailed, match="already in use"):
        engine.create_container(name, {"Image": engine.container(name).image})


def test_containers_are_found_by_all_their_labels(engine: Engine, container: Make) -> None:
    mark = secrets.token_hex(4)
    both = container("true", start=False, Labels={"mcpctl-test": mark, "kind": "both"})
    container("true", start=False, Labels={"mcpctl-test": mark})
    assert len(engine.containers([f"mcpctl-test={mark}"])) == 2
    assert [item.id for item in engine.containers([f"mcpctl-test={mark}", "kind"])] == [both]


def test_networks_and_volumes_are_made_found_and_removed(
    engine: Engine, fresh_name: str, removed: Callable[[Callable[[], Any]], None]
) -> None:
    network = Network(
        "n",
        fresh_name,
        internal=True,
        ipam_config=({"Subnet": "10.213.78.0/24"},),
        driver_opts={"com.docker.network.bridge.enable_icc": "true"},
    )
    engine.create_network(network, {"mcpctl-test": fresh_name})
    removed(lambda: engine.find_network(fresh_name) and engine.remove_network(fresh_name))
    with pytest.raises(EngineFailed, match="already exists"):
        engine.create_network(network, {})
    found = engine.find_network(fresh_name)
    assert found
    assert engine.find_network(fresh_name[:-1]) is None
    assert engine.networks([f"mcpctl-test={fresh_name}"]) == (found,)

    engine.create_volume(Volume("v", fresh_name), {"mcpctl-test": fresh_name})
    removed(lambda: engine.find_volume(fresh_name) and engine.remove_volume(fresh_name))
    assert engine.volumes([f"mcpctl-test={fresh_name}"]) == (engine.find_volume(fresh_name),)
    engine.remove_network(found.id)
    engine.remove_volume(fresh_name)
    assert engine.find_network(fresh_name) is None
    assert engine.find_volume(fresh_name) is None


def test_the_holder_of_a_port_is_found_where_the_addresses_collide(engine: Engine, container: Make) -> None:
    made = container(
        "sleep", "60",
        ExposedPorts={"80/tcp": {}},
        HostConfig={"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}},
    )  # fmt: skip
    (port,) = engine.container(made).ports
    name = engine.container(made).name
    for address in ("127.0.0.1", "0.0.0.0", ""):
        assert engine.container_publishing(port.host_port, address) == name
    for address in ("127.0.0.2", "::1"):
        assert engine.container_publishing(port.host_port, address) is None


def test_a_command_gives_its_exit_code_and_both_streams(engine: Engine, container: Make) -> None:
    made = container("sleep", "60")
    result = run_in_container(engine, made, ["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=20)
    assert (result.exit_code, sorted(result.output.split())) == (3, ["err", "out"])


def test_output_is_never_lost_nor_mixed_up(engine: Engine, container: Make) -> None:
    made = container("sleep", "60")
    for _ in range(20):
        assert run_in_container(engine, made, ["echo", "at once"], timeout=20).output == "at once\n"


@pytest.mark.parametrize("command", ["sleep 60", "while true; do echo x; sleep 0.05; done"])
def test_a_command_that_does_not_end_is_given_up(engine: Engine, container: Make, command: str) -> None:
    made = container("sleep", "60")
    with pytest.raises(ExecTimedOut):
        run_in_container(engine, made, ["sh", "-c", command], timeout=0.3)


def test_a_command_in_a_stopped_container_is_refused(engine: Engine, container: Make) -> None:
    with pytest.raises(EngineFailed, match="not running"):
        run_in_container(engine, container("true", start=False), ["true"], timeout=20)


SPEAK = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short; printf end"


@pytest.mark.parametrize("tty", [False, True])
def test_log_lines_are_whole_whatever_their_length(engine: Engine, container: Make, tty: bool) -> None:
    made = container("sh", "-c", SPEAK, Tty=tty)
    eventually(lambda: not engine.container(made).running, "the end of the command")
    lines = list(logs(engine, made))
    assert [len(line.text) for line in lines] == [40000, 5, 3]
    assert len(lines[0].text) > PIECE
    assert {line.text[0] for line in lines} == {"x", "s", "e"}
    assert all(line.timestamp.startswith("20") for line in lines)


def test_following_a_log_ends_with_the_container(engine: Engine, container: Make) -> None:
    made = container("sh", "-c", "echo one; sleep 0.3; echo two >&2")
    found = [(line.stream, line.text) for line in logs(engine, made, follow=True)]
    assert found == [("stdout", "one"), ("stderr", "two")]


def test_a_log_may_be_cut_by_count_and_by_time(engine: Engine, container: Make) -> None:
    from mcpctl.engine.times import parse

    made = container("sh", "-c", "echo one; sleep 1.1; echo two")
    eventually(lambda: not engine.container(made).running, "the end of the command")
    first, second = logs(engine, made)
    assert [line.text for line in logs(engine, made, tail=1)] == ["two"]
    between = parse(second.timestamp).timestamp() - 0.5
    assert [line.text for line in logs(engine, made, since=between)] == ["two"]
    assert [line.text for line in logs(engine, made, until=between)] == [first.text]


def test_a_log_that_cannot_be_read_is_told_as_such(engine: Engine, container: Make) -> None:
    silent = container("true", HostConfig={"LogConfig": {"Type": "none"}})
    with pytest.raises(EngineFailed, match="does not support reading"):
        list(logs(engine, silent))
    with pytest.raises(NotFound):
        list(logs(engine, "mcpctl-test-no-such"))


def built(engine: Engine, spec: BuildSpec, report: Callable[[str], None]) -> str:
    """Build with the engine's own builder and return the image's id."""
    recipe = read_recipe(engine, spec.context, spec.dockerfile, spec.args, spec.target)
    return build(engine, spec, recipe, report).image_id


def test_an_image_is_built_and_each_line_is_told(
    engine: Engine, image: str, tmp_path: Path, fresh_name: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nARG WORD\nCOPY file /file\nRUN echo said $WORD\n")
    (tmp_path / "file").write_text("content")
    lines: list[str] = []
    spec = BuildSpec(
        f"{fresh_name}:1", str(tmp_path), "Dockerfile", args={"WORD": "hello"}, labels={"a": "b"}
    )
    try:
        made = built(engine, spec, lines.append)
        found = engine.find_image(f"{fresh_name}:1")
        assert found
        assert (found.id, found.labels) == (made, {"a": "b"})
        assert engine.tags(fresh_name) == (f"{fresh_name}:1",)
        assert any(line == "said hello" for line in lines)
    finally:
        engine.remove_image(f"{fresh_name}:1")
    assert engine.find_image(f"{fresh_name}:1") is None


def test_hosts_memory_and_more_tags_reach_the_builder(
    engine: Engine, image: str, tmp_path: Path, fresh_name: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nRUN cat /etc/hosts && df -k /dev/shm | tail -n 1\n")
    spec = BuildSpec(
        f"{fresh_name}:1",
        str(tmp_path),
        "Dockerfile",
        extra_hosts=("db.test:10.0.0.1",),
        shm_size=8 * 1024**2,
        more_tags=(f"{fresh_name}:2",),
    )
    lines: list[str] = []
    try:
        made = built(engine, spec, lines.append)
        second = engine.find_image(f"{fresh_name}:2")
        assert second
        assert second.id == made
    finally:
        engine.remove_image(f"{fresh_name}:2")
        engine.remove_image(f"{fresh_name}:1")
    assert any(line.split() == ["10.0.0.1", "db.test"] for line in lines)
    assert any(" 8192 " in line for line in lines)


@pytest.mark.parametrize("outside", [False, True])
def test_an_image_holds_what_the_ignore_file_leaves_and_nothing_of_ours(
    engine: Engine, image: str, tmp_path: Path, fresh_name: str, outside: bool
) -> None:
    root = tmp_path / "context"
    (root / "sub").mkdir(parents=True)
    for name in ("kept", "dropped", "sub/kept", "sub/dropped"):
        (root / name).write_text(name)
    (root / ".dockerignore").write_text("**/dropped\nDockerfile\n.dockerignore\n")
    dockerfile = "../Dockerfile" if outside else "Dockerfile"
    (root / dockerfile).write_text(f"FROM {image}\nCOPY . /all/\nRUN find /all -type f | sort\n")
    lines: list[str] = []
    try:
        built(engine, BuildSpec(f"{fresh_name}:1", str(root), dockerfile), lines.append)
    finally:
        engine.remove_image(f"{fresh_name}:1")
    assert [line for line in lines if line.startswith("/all")] == ["/all/kept", "/all/sub/kept"]


def test_a_failed_build_names_its_step_and_its_last_lines(
    engine: Engine, image: str, tmp_path: Path, fresh_name: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {image}\nRUN echo before && false\n")
    with pytest.raises(EngineFailed, match="failed at Step 2/2") as caught:
        built(engine, BuildSpec(f"{fresh_name}:1", str(tmp_path), "Dockerfile"), lambda _line: None)
    assert "before" in str(caught.value.details["output"])
    assert str(caught.value.details["step"]).startswith("Step 2/2 : RUN echo before")


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [("FRON x\n", "unknown instruction"), ("", "empty"), ("FROM scratch\nADD no /\n", "no")],
)
def test_a_broken_dockerfile_is_told_in_the_builders_words(
    engine: Engine, tmp_path: Path, fresh_name: str, dockerfile: str, message: str
) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile)
    with pytest.raises(EngineFailed, match=message):
        built(engine, BuildSpec(f"{fresh_name}:1", str(tmp_path), "Dockerfile"), lambda _line: None)


def test_an_image_that_cannot_be_pulled_is_named(engine: Engine) -> None:
    with pytest.raises(EngineFailed, match=r"pulling 127\.0\.0\.1:1/nothing:1"):
        pull(engine, "127.0.0.1:1/nothing:1", lambda _line: None, timeout=60)
