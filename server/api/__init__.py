"""The surfaces: HTTP, MCP and health. Each is thin and goes through one executor."""
