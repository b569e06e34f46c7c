"""A server of the same tools, written with the official Python SDK; ``table.py`` measures it beside ours.

``python sdk_server.py CANNED``, as with ``bare_loop.py``. Arguments are checked with
jsonschema here, since the SDK's low-level server, which takes schemas as they are, leaves that to its tools.
"""

import asyncio
import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult

CANNED = json.loads(Path(sys.argv[1]).read_bytes())
VALIDATORS = {tool["name"]: Draft202012Validator(tool["inputSchema"]) for tool in CANNED["tools/list"]["tools"]}
LISTED = ListToolsResult.model_validate(CANNED["tools/list"])
CALLED = CallToolResult.model_validate(CANNED["tools/call"])


async def list_tools(_, __):
    return LISTED


async def call_tool(_, params):
    VALIDATORS[params.name].validate(params.arguments)
    return CALLED


async def main():
    """Serve until the end of input."""
    server = Server("sdk", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


asyncio.run(main())
