"""Documents to one merged tree in long form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpctl.compose.canonical import canonical
from mcpctl.compose.faults import Origins, TreeFault, config_error
from mcpctl.compose.merge import drop_replaced, merge
from mcpctl.compose.schema import PROJECT
from mcpctl.compose.substitute import substitute
from mcpctl.compose.trees import is_mapping
from mcpctl.compose.unicity import enforce_unicity
from mcpctl.compose.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpctl.compose.interpolate import Lookup
    from mcpctl.compose.trees import Tree
    from mcpctl.compose.yaml_source import Document


@dataclass(slots=True)
class Assembly:
    """The merged tree and where its values come from."""

    tree: Tree = field(default_factory=dict[str, Any])
    origins: Origins = field(default_factory=Origins)
    warnings: list[str] = field(default_factory=list[str])

    def lay(self, document: Document, lookup: Lookup, unset: Callable[[str], None]) -> None:
        """Interpolate, check and merge one document; raise ConfigError with the place of a fault."""
        own = Origins([(document.file, document.marks)])
        try:
            tree = self._prepared(document, lookup, unset)
        except TreeFault as fault:
            raise own.error(fault) from None
        self.origins.add(document.file, document.marks)
        try:
            self._merge(tree, document)
        except TreeFault as fault:
            raise self.origins.error(fault) from None

    def _prepared(self, document: Document, lookup: Lookup, unset: Callable[[str], None]) -> Tree:
        if not is_mapping(document.tree):
            raise TreeFault((), "a project file is a mapping with the key services at the top")
        tree = substitute(document.tree, lookup, unset)
        # The first document is checked once, as a whole, when it is merged.
        if self.tree:
            validate(tree, PROJECT, whole=False)
        return tree

    def _merge(self, tree: Tree, document: Document) -> None:
        drop_replaced(self.tree, document.replaced)
        merged = enforce_unicity(merge(self.tree, tree))
        validate(merged, PROJECT, whole=True)
        if "version" in merged:
            merged.pop("version")
            self.warnings.append(f"{document.file}: the key version is obsolete and ignored: remove it")
        merged = canonical(merged)
        for service in merged.get("services", {}).values():
            if "dns" in service:
                service["dns"] = [server for server in service["dns"] if server]
        self.tree = enforce_unicity(merged)


def empty_project(file: str) -> Exception:
    """Return the error for files without any content."""
    fault = TreeFault(
        (), f"the project file {file} is empty", hint="name another with -f FILE", details={"file": file}
    )
    return config_error(fault, None)
