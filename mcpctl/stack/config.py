"""`config`: the resolved project as it may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcpctl.compose.output import document, mask_secrets, to_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcpctl.compose.model import Project


def resolved(project: Project, *, show_secrets: bool = False) -> tuple[dict[str, Any], str]:
    """Return the project's model as JSON data and as YAML text; secrets are masked unless asked for."""
    model: Mapping[str, Any] = project.model if show_secrets else mask_secrets(project.model)
    return document(model), to_yaml(model)
