"""The reference names what there is."""

from __future__ import annotations

from server.aws.session import SOURCES
from server.faults import STATUS
from server.tools.catalogue import registry

from .conftest import ROOT

TEXT = (ROOT / "docs" / "tools.md").read_text()


def test_every_tool_with_its_parameters_and_result_is_in_the_reference() -> None:
    for found in registry():
        section = TEXT.partition(f"### `{found.tool.name}`")[2].partition("\n#")[0]
        for name in (*found.tool.parameters.model_fields, *found.tool.result.model_fields):
            assert f"`{name}`" in section or f'"{name}"' in section, (found.tool.name, name)


def test_every_error_code_is_in_the_reference_with_its_status() -> None:
    for code, status in STATUS.items():
        assert f"| {status} | `{code}` |" in TEXT


def test_every_credential_source_that_is_current_is_in_the_reference() -> None:
    for source in {*SOURCES.values()} - {"boto-config", "ec2-credentials-file"}:
        assert f"`{source}`" in TEXT
