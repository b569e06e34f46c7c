"""What the server tells about itself: who it is, how to use it, its tools; and the dress of every result."""

from __future__ import annotations

from kie_mcp import __version__
from kie_mcp.protocol.revisions import CACHE, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.tools.spec import Tool

NAME = "kie-mcp"
TITLE = "Kie AI pictures"

INSTRUCTIONS = """\
Makes pictures with Kie AI and saves them as files on this machine; answers carry absolute paths.

- One picture: generate_visual (submits, waits, saves). Several: one generate_visual_batch with items, not many \
calls.
- Each picture is paid for in credits. Never repeat a call only because it was slow. Before a large batch, dry_run: \
true tells its price.
- When a wait ends before the picture is done, the answer has a task_id and status: call get_visual_task with it \
(wait_seconds to block). The task goes on meanwhile; nothing is lost. list_visual_tasks shows earlier ones.
- An answer with next_cursor goes on: pass it as cursor to list_visual_tasks for the rest.
- A preview picture in an answer is small, and numbered by index for a batch; the file has the full size.
- finished_meanwhile in an answer names pictures of earlier calls that were saved since: tell the user.
- create_visual_task submits without waiting; fetch the result with get_visual_task.
- After an error of category unknown_outcome do not repeat blindly: the picture may be paid for already. Follow \
the error's next_step, and check list_visual_tasks and get_credits first.
- list_models shows what each model accepts (ratios, resolutions, formats, input images) and its price; name one \
exactly for its whole input schema. Leave model out for the default.
- To edit a picture pass image_input: absolute paths, https URLs, or task:<task_id> for an earlier result.
- Give only arguments that the user asked for; platform (e.g. instagram-story) already picks a fitting aspect ratio.
- Errors say what is wrong and what to do (category, message, retryable, next_step).
- describe_imager_interface shows settings and limits without calling Kie. The resource kie-mcp://guide tells how to \
write good prompts and choose a model."""
"""Shorter than 2,000 characters: hosts cut what is longer than 2,048."""


def _capabilities(revision: Revision) -> dict[str, Any]:
    """What there is; no lists that change, no resources to subscribe to."""
    completions: dict[str, Any] = {"completions": {}} if revision.completions else {}
    return {"logging": {}, **completions, "prompts": {}, "resources": {}, "tools": {}}


def server_info(revision: Revision) -> dict[str, Any]:
    """The ``Implementation`` object of this server."""
    title = {"title": TITLE} if revision.titles else {}
    return {"name": NAME, **title, "version": __version__}


def initialized(revision: Revision) -> dict[str, Any]:
    """The result of ``initialize``."""
    return {
        "protocolVersion": revision.name,
        "capabilities": _capabilities(revision),
        "serverInfo": server_info(revision),
        "instructions": INSTRUCTIONS,
    }


def discovered(revision: Revision) -> dict[str, Any]:
    """The result of ``server/discover``."""
    return {"supportedVersions": list(NAMES), "capabilities": _capabilities(revision), "instructions": INSTRUCTIONS}


def tool_list(tools: Iterable[Tool], revision: Revision) -> dict[str, Any]:
    """The result of ``tools/list``: one page, always in the same order."""
    return {"tools": [_published(tool, revision) for tool in tools]}


def _published(tool: Tool, revision: Revision) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": tool.name}
    if revision.titles:
        shown["title"] = tool.title
    shown["description"] = tool.description
    shown["inputSchema"] = tool.input_schema
    if revision.structured:
        shown["outputSchema"] = tool.output_schema
    if revision.annotations:
        shown["annotations"] = {"title": tool.title, **tool.annotations}
    return shown


def complete(result: dict[str, Any], revision: Revision, method: str) -> dict[str, Any]:
    """A result of ``method`` as the revision wants it."""
    if not revision.stateless:
        return result
    cache = {}
    if method in CACHE:
        milliseconds, scope = CACHE[method]
        cache = {"ttlMs": milliseconds, "cacheScope": scope}
    meta = {"io.modelcontextprotocol/serverInfo": server_info(revision)}
    return {"resultType": "complete", **result, **cache, "_meta": meta}
