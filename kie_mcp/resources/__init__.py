"""The saved pictures, the tasks, the models and a guide, as MCP resources."""

from kie_mcp.resources.listing import list_resources, list_templates
from kie_mcp.resources.reading import read_resource

__all__ = ["list_resources", "list_templates", "read_resource"]
