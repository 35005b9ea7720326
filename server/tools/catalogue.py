"""The tools of the product, each named here. Importing a tool's module does not register it."""

from __future__ import annotations

from server.registry import Registry
from server.tools import identity


def registry() -> Registry:
    """Return a registry with every tool in it."""
    tools = Registry()
    tools.add(identity.VALIDATE_CREDENTIALS)
    tools.add(identity.LIST_PROFILES)
    tools.add(identity.ACCOUNT_INFO)
    tools.add(identity.TEST_ENVIRONMENT)
    return tools
