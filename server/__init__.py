"""The tool service: AWS tools over HTTP and MCP, in a container or on a workstation."""

__version__ = "0.1.0"
