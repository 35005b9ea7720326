"""Generated values, many to one run of the real docker compose: interpolation, env files, short forms.

Each test draws its examples from a fixed seed, writes those that we accept into one project, and those that
we refuse into one project each, a few of which are put before compose.
"""

from __future__ import annotations

import itertools
import json
import random
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.output import document
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

EXAMPLES = 400
REFUSALS = 25
VARIABLES = {"A": "a", "B": "b $x", "EMPTY": "", "lower": "l", "_U": "under"}


def draw(strategy: st.SearchStrategy[str], count: int = EXAMPLES) -> list[str]:
    """Return distinct examples, the same in every run."""
    found: dict[str, None] = {}

    @seed(20)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: str) -> None:
        found.setdefault(example)

    collect()
    return list(found)


@dataclass(frozen=True)
class Bench:
    """One folder in which projects are written and read by both programs."""

    folder: Path
    environ: Mapping[str, str]
    compose: Any

    def request(self, project: dict[str, Any]) -> LoadRequest:
        (self.folder / "compose.yaml").write_text(json.dumps(project))
        return LoadRequest(self.folder, {**self.environ, **VARIABLES})

    def accepted(self, project: dict[str, Any]) -> bool:
        try:
            load(self.request(project))
        except ConfigError:
            return False
        return True

    def agrees(self, project: dict[str, Any]) -> bool:
        request = self.request(project)
        return document(load(request).model) == self.compose.config(request)

    def compare(self, values: list[str], project: Callable[[list[str]], dict[str, Any]], what: str) -> None:
        """Compare what both make of the values that we accept, and that both refuse the others."""
        good = [value for value in values if self.accepted(project([value]))]
        refused = [value for value in values if value not in set(good)]
        if not self.agrees(project(good)):
            assert [value for value in good if not self.agrees(project([value]))] == []
        sample = random.Random(20).sample(refused, min(REFUSALS, len(refused)))  # noqa: S311 - a fixed choice
        wrongly = [
            value for value in sample if isinstance(self.compose.config(self.request(project([value]))), dict)
        ]
        assert wrongly == []
        assert len(good) > len(values) // 10, "the examples are nearly all refused: nothing was compared"
        self.compose.seen[f"{what} accepted"] += len(good)
        self.compose.seen[f"{what} refused"] += len(sample)


@pytest.fixture
def bench(tmp_path: Path, environ: Mapping[str, str], compose: Any) -> Bench:
    folder = tmp_path / "project"
    folder.mkdir()
    return Bench(folder, environ, compose)


def environment(values: list[str]) -> dict[str, Any]:
    return {
        "services": {"s": {"image": "x", "environment": {f"V{i}": value for i, value in enumerate(values)}}}
    }


def services(key: str) -> Callable[[list[str]], dict[str, Any]]:
    def project(values: list[str]) -> dict[str, Any]:
        return {"services": {f"s{i}": {"image": "x", key: value} for i, value in enumerate(values)}}

    return project


names = st.sampled_from(["A", "B", "EMPTY", "UNSET", "lower", "_U", "UNSET_2", "a1"])
operators = st.sampled_from([":-", "-", ":?", "?", ":+", "+"])
texts = st.text(alphabet="ab $:-?+ {}\\'\"#=é\n", max_size=8)
templates = st.recursive(
    st.one_of(
        texts,
        names.map(lambda name: f"${name}"),
        names.map(lambda name: f"${{{name}}}"),
        st.just("$$"),
    ),
    lambda inner: st.one_of(
        st.tuples(names, operators, inner).map(lambda parts: f"${{{parts[0]}{parts[1]}{parts[2]}}}"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=6,
)


def test_interpolation_agrees(bench: Bench) -> None:
    bench.compare(draw(templates, 600), environment, "templates")


keys = st.text(alphabet="abAB_.-1", min_size=1, max_size=4).map(lambda tail: f"K{tail}")
raw_values = st.text(alphabet="ab \"'\\$#=:{}nA-é\t", max_size=10)
lines = st.one_of(
    st.tuples(
        st.sampled_from(["", "export ", "export\t", "  "]),
        keys,
        st.sampled_from(["=", " = ", ": ", ":"]),
        raw_values,
    ).map("".join),
    st.tuples(
        keys, st.just("="), raw_values.map(lambda text: f'"{text}"'), st.sampled_from(["", " # end"])
    ).map("".join),
    st.tuples(
        keys, st.just("="), raw_values.map(lambda text: f"'{text}'"), st.sampled_from(["", " # end"])
    ).map("".join),
    raw_values.map(lambda text: f"# {text}"),
    st.sampled_from(["A", "UNSET", "", "  ", "K1=$A", "K2=${K1:-x}$B", 'K3="\\101\\0101\\t\\q\\$A"']),
)
env_files = st.lists(lines, min_size=1, max_size=5).map(lambda written: "\n".join(written) + "\n")


def test_env_files_agree(bench: Bench) -> None:
    texts = draw(env_files)
    for index, text in enumerate(texts):
        (bench.folder / f"{index}.env").write_bytes(text.encode())
    indexes = [str(index) for index in range(len(texts))]

    def project(chosen: list[str]) -> dict[str, Any]:
        return {"services": {f"s{index}": {"image": "x", "env_file": f"{index}.env"} for index in chosen}}

    bench.compare(indexes, project, "env files")


words = st.text(alphabet="ab1 \\'\"`()$;&|<>\t\n=", max_size=14)


def test_commands_are_split_alike(bench: Bench) -> None:
    escaped = [word.replace("$", "$$") for word in draw(words)]
    bench.compare(escaped, services("command"), "commands")


durations = st.one_of(
    st.lists(
        st.tuples(
            st.one_of(
                st.integers(0, 5000).map(str),
                st.decimals(0, 99, places=4).map(str),
                st.sampled_from([".5", "1.", "", "."]),
            ),
            st.sampled_from(["ns", "us", "µs", "ms", "s", "m", "h", "", "d"]),
        ).map("".join),
        min_size=1,
        max_size=3,
    ).map("".join),
    st.sampled_from(["0", "-1s", "+1m", "", "9999999h", "1h1m1.000000001s", "1 s"]),
)


def test_durations_agree(bench: Bench) -> None:
    bench.compare(draw(durations), services("stop_grace_period"), "durations")


sizes = st.tuples(
    st.one_of(
        st.integers(0, 5000).map(str),
        st.decimals(0, 999, places=3).map(str),
        st.sampled_from(["", "-1", "1.2.3", "0x1"]),
    ),
    st.sampled_from(["", " ", "  "]),
    st.sampled_from(["", "b", "k", "K", "kb", "m", "mib", "MiB", "g", "GB", "t", "p", "e", "x", "ib", "i"]),
).map("".join)


def test_sizes_agree(bench: Bench) -> None:
    bench.compare(draw(sizes), services("mem_limit"), "sizes")


numbers = st.sampled_from(
    ["80", "8080", "1", "65535", "65536", "0", "90-92", "90-90", "92-90", "1000-1002", "", "x", "+1"]
)
port_specs = st.tuples(
    st.sampled_from(["", "127.0.0.1:", "0.0.0.0:", "[::1]:", "::1:", "1.2.3:", "[::]:", ":", "localhost:"]),
    st.one_of(st.just(""), numbers.map(lambda number: f"{number}:")),
    numbers,
    st.sampled_from(["", "/tcp", "/udp", "/UDP", "/sctp", "/http", "/"]),
).map("".join)


def test_ports_agree(bench: Bench) -> None:
    def project(values: list[str]) -> dict[str, Any]:
        return {"services": {f"s{i}": {"image": "x", "ports": [value]} for i, value in enumerate(values)}}

    bench.compare(draw(port_specs, 600), project, "ports")


paths = st.sampled_from(
    [
        "data",
        "./a",
        "../b/../c",
        "/abs",
        "~/h",
        "~",
        ".",
        "/x/./y/",
        "c:",
        "",
        "a",
        "/",
        "da.ta",
        "\\\\pipe",
        "//x",
    ]
)
mount_options = st.sampled_from(["ro", "rw", "z", "ro,Z", "nocopy", "rshared", "rw,ro", "cached"])
# Options that compose ignores are an error to us, so the third part is always a known one.
mount_specs = st.one_of(
    paths,
    st.lists(paths, min_size=2, max_size=2).map(":".join),
    st.tuples(paths, paths, mount_options).map(":".join),
    st.tuples(paths, paths, st.just("ro"), mount_options).map(":".join),
)


def test_volumes_agree(bench: Bench) -> None:
    def project(values: list[str]) -> dict[str, Any]:
        return {
            "services": {f"s{i}": {"image": "x", "volumes": [value]} for i, value in enumerate(values)},
            "volumes": dict.fromkeys(["data", "a", "da.ta", "ro", "rw"]),
        }

    with warnings.catch_warnings():
        bench.compare(draw(mount_specs), project, "volumes")


scalar_words = st.one_of(
    st.from_regex(r"\A[-+]?(0[xob])?[0-9_]{1,6}(\.[0-9_]{0,4})?([eE][-+]?[0-9]{1,2})?\Z"),
    st.sampled_from(
        [
            "yes",
            "No",
            "on",
            "y",
            "~",
            "null",
            "Null",
            "True",
            "TRUE",
            "tRUE",
            "",
            "1:30",
            "0o8",
            "08",
            "0b2",
            "1e400",
        ]
    ),
    st.floats(-1e25, 1e25).map(repr),
    st.integers(-(2**70), 2**70).map(str),
)


def test_unquoted_words_agree(bench: Bench) -> None:
    values = [word for word in draw(scalar_words, 600) if "e400" not in word]
    tabled = "".join(f"      V{i}: {word}\n" for i, word in enumerate(values))
    (bench.folder / "compose.yaml").write_text(f"services:\n  s:\n    image: x\n    environment:\n{tabled}")
    request = LoadRequest(bench.folder, bench.environ)
    ours, theirs = document(load(request).model), bench.compose.config(request)
    assert isinstance(theirs, dict), theirs
    mine, real = (model["services"]["s"]["environment"] for model in (ours, theirs))
    different = {
        values[i]: (mine[f"V{i}"], real[f"V{i}"])
        for i in range(len(values))
        if mine[f"V{i}"] != real[f"V{i}"]
    }
    assert different == {}
    bench.compose.seen["unquoted words"] += len(values)


pools = {
    "cpus": [
        f"{whole}.{part}" for whole, part in itertools.product(range(4), ("1", "25", "333", "123456789", "0"))
    ],
}


def test_cpu_shares_of_a_core_have_compose_precision(bench: Bench) -> None:
    bench.compare(pools["cpus"], services("cpus"), "cpus")
    project = services("cpus")(pools["cpus"])
    ours = {name: service.config_hash for name, service in load(bench.request(project)).services.items()}
    assert ours == bench.compose.hashes(bench.request(project))
