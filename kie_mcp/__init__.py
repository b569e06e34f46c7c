"""kie-mcp: a Model Context Protocol server that makes pictures with Kie AI and saves them to disk."""

__version__ = "0.1.0"
