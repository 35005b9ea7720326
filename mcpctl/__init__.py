"""mcpctl: drives an MCP server with AWS tools in Docker."""

__version__ = "0.1.0"
