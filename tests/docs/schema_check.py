"""Hold `-o json` to the schemas in docs/reference/schemas: `check("status", document)`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schemas"


def check(command: str, document: Mapping[str, Any]) -> None:
    """Assert that a document is the envelope of ``command`` with the data that its schema promises."""
    validate("envelope", document)
    assert document["command"] == command
    assert (document["exit_code"] == 0) == (document["status"] == "success")
    if document["data"] or not document["errors"]:
        validate(command.replace(" ", "-"), document["data"])


def validate(name: str, instance: object) -> None:
    """Assert that ``instance`` fits the schema ``name``.json."""
    validator = Draft202012Validator(_registry()[f"{name}.json"].contents, registry=_registry())
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(instance)]
    assert not faults, f"{name}.json: {'; '.join(faults)}"


@cache
def _registry() -> Registry[Any]:
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMAS.glob("*.json"))]
    return Registry().with_resources((item["$id"], Resource.from_contents(item)) for item in documents)
