"""The page on project files says what the schema does: every key that is read, every key that is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcpctl.compose import schema
from mcpctl.compose.load import LoadRequest, load
from mcpctl.compose.shapes import Either, Items, Record, Table, Unsupported
from mcpctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/reference/compose.md").read_text()
SECTIONS = {
    "Of a service": schema.SERVICE,
    "Of `build`": schema.BUILD,
    "Of a network": schema.NETWORK,
    "Of a volume": schema.VOLUME,
    "Of a secret": schema.SECRET,
    "Of a config": schema.CONFIG,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_lists_every_key_that_is_supported(heading: str) -> None:
    (paragraph,) = re.findall(rf"^{re.escape(heading)}: (.+?)\.$", PAGE, re.MULTILINE | re.DOTALL)
    supported = {key for key, shape in SECTIONS[heading].fields.items() if not isinstance(shape, Unsupported)}
    assert set(re.findall(r"`([^`]+)`", paragraph)) == supported


def refused(shape: object, path: str = "") -> Iterator[str]:
    """Walk a shape and yield the last key of each path that is refused."""
    if isinstance(shape, Unsupported):
        yield path
    elif isinstance(shape, Record):
        for key, inner in shape.fields.items():
            yield from refused(inner, key)
    elif isinstance(shape, Either):
        for inner in shape.options:
            yield from refused(inner, path)
    elif isinstance(shape, Items):
        yield from refused(shape.item, path)
    elif isinstance(shape, Table):
        yield from refused(shape.value, path)


def test_the_page_names_every_key_that_is_refused() -> None:
    table = PAGE.partition("## What is refused")[2].partition("## Where mcpctl differs")[0]
    named = {text.rpartition(".")[2] for text in re.findall(r"`([^`]+)`", table)}
    assert set(refused(schema.PROJECT)) - named == set()
    assert len(set(refused(schema.PROJECT))) > 15


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("include: [other.yaml]\nservices: {a: {image: i}}", "include"),
        ("services: {a: {image: i, extends: {service: b}}}", "extends"),
        ("services: {a: {image: i, gpus: all}}", "gpus"),
        ("services: {a: {image: i, post_start: [{command: x}]}}", "post_start"),
        ("services: {a: {build: {context: ., dockerfile_inline: FROM x}}}", "dockerfile_inline"),
        ("services: {a: {image: i}}\nsecrets: {s: {driver: x}}", "driver"),
    ],
)
def test_a_refused_key_is_an_error_that_names_it(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(ConfigError, match=key):
        load(LoadRequest(tmp_path, {"HOME": str(tmp_path)}, project_name="p"))
