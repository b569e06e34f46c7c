"""A walk through the server with the client of the official Python SDK; prints what it met as one JSON object.

``python python_sdk.py MODE``, where MODE is ``legacy``, ``auto`` or a revision without a handshake. The server takes
its settings from the environment. ``node/walk.mjs`` is the same walk with the SDKs for TypeScript, step by step.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
import urllib.request
import warnings
from importlib.metadata import version
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.caching import CacheConfig
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp_types import Implementation, PromptReference, ResourceTemplateReference

LOG_LEVEL = "io.modelcontextprotocol/logLevel"


def release():
    """Let the tasks that the sandbox holds back go on."""
    origin = os.environ["KIE_AI_UPLOAD_BASE_URL"]
    urllib.request.urlopen(urllib.request.Request(f"{origin}/sandbox/faults", method="DELETE")).close()


async def code_of(request):
    """The code of the error that a request ends in."""
    try:
        return f"no error but {await request}"
    except MCPError as error:
        return error.code


async def make(client):
    """A picture, with progress."""
    progress = []

    async def on_progress(done, *_):
        progress.append(done)

    arguments = {"prompt": "a fox", "aspect_ratio": "16:9"}
    result = await client.call_tool("generate_visual", arguments, progress_callback=on_progress)
    return {"progress": progress, "made": result.structured_content, "blocks": [block.type for block in result.content]}


async def fail(client):
    """What cannot be done, and what is not there."""
    result = await client.call_tool("generate_visual", {"prompt": "a fox", "aspect_ratio": "7:3"})
    return {
        "refused": {"isError": result.is_error, **result.structured_content["error"]},
        "unknown_tool": await code_of(client.call_tool("nope")),
    }


async def read(client, picture):
    """Resources."""
    resources = (await client.list_resources()).resources
    uri = next(entry.uri for entry in resources if entry.name == Path(picture).name)
    (content,) = (await client.read_resource(uri)).contents
    (guide,) = (await client.read_resource("kie-mcp://guide")).contents
    return {
        "resources": [entry.uri for entry in resources],
        "picture": hashlib.sha256(base64.b64decode(content.blob)).hexdigest(),
        "guide": guide.text,
        "missing": await code_of(client.read_resource("kie-mcp://nothing")),
        "templates": [entry.uri_template for entry in (await client.list_resource_templates()).resource_templates],
    }


async def prompt(client):
    """Prompts and completion."""
    prompts = (await client.list_prompts()).prompts
    shown = await client.get_prompt("platform_picture", {"subject": "a fox", "platform": "youtube"})
    reference = PromptReference(name="platform_picture")
    template = ResourceTemplateReference(uri="kie-mcp://models/{model}")
    platforms = await client.complete(reference, {"name": "platform", "value": "insta"})
    models = await client.complete(template, {"name": "model", "value": "nano-banana-p"})
    return {
        "prompts": [entry.name for entry in prompts],
        "prompt": shown.messages[0].content.text,
        "platforms": platforms.completion.values,
        "models": models.completion.values,
    }


async def listen(client, log, *, legacy):
    """What the log says, where it was asked for."""
    meta = None if legacy else {LOG_LEVEL: "debug"}
    if legacy:
        with warnings.catch_warnings(action="ignore", category=MCPDeprecationWarning):
            await client.set_logging_level("debug")
    before = len(log)
    await client.call_tool("generate_visual", {"prompt": "another fox"}, meta=meta)
    return {"unasked": before, "log": log}


async def meet(client, *, legacy):
    """What only one of the two eras has."""
    if legacy:
        await client.session.send_ping()
        return {"supported": []}
    return {"supported": (await client.session.send_discover(client.protocol_version))["supportedVersions"]}


async def give_up(client):
    """A call that times out here, one that is cancelled, and both tasks fetched afterwards."""
    created = await client.call_tool("create_visual_task", {"prompt": "a slow fox"})
    tasks = [created.structured_content["task_id"]]
    wait = {"task_id": tasks[0], "wait_seconds": 60}
    timed_out = await code_of(client.call_tool("get_visual_task", wait, read_timeout_seconds=0.5))
    with anyio.CancelScope() as scope:

        async def on_progress(_done, _total, message):
            if "submitted as task" in message:
                tasks.append(message.split()[-1])
                scope.cancel()

        await client.call_tool("generate_visual", {"prompt": "a slow fox too"}, progress_callback=on_progress)
    release()
    fetched = [
        (await client.call_tool("get_visual_task", {"task_id": task, "wait_seconds": 60})).structured_content
        for task in tasks
    ]
    return {"timed_out": timed_out, "cancelled": scope.cancelled_caught, "fetched": fetched}


async def walk(mode):
    """Take the walk; returns what it met."""
    log = []

    async def on_log(params):
        log.append(params.level)

    server = StdioServerParameters(command=sys.executable, args=["-m", "kie_mcp"], env=dict(os.environ))
    me = Implementation(name="python-sdk", version=version("mcp"))
    async with Client(server, mode=mode, client_info=me, logging_callback=on_log, cache=CacheConfig()) as client:
        legacy = mode == "legacy"
        tools = [tool.name for tool in (await client.list_tools()).tools]
        met = {"client": me.name, "version": me.version, "revision": client.protocol_version, "tools": tools}
        met |= await meet(client, legacy=legacy)
        met |= await make(client)
        met |= await fail(client)
        met |= await read(client, met["made"]["output_path"])
        met |= await prompt(client)
        met |= await listen(client, log, legacy=legacy)
        met |= {"errors": []}  # this client keeps none
        return met | await give_up(client)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(walk(sys.argv[1]))))
