"""A tool's answer as the result of ``tools/call``."""

from __future__ import annotations

import json

from kie_mcp.text import Clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kie_mcp.protocol.revisions import Revision
    from kie_mcp.tools.spec import Link, Preview, ToolResult

MOST_LINKS = 20
"""Of one result: hosts list them all. The structured content names every file."""


def call_result(result: ToolResult, revision: Revision, redact: Callable[[Any], Any]) -> dict[str, Any]:
    """The result object: text that is complete in itself, and what more the revision has.

    Secrets are taken out before the text is made, and not of the text: in it they may look different (escaped), and
    what looks like one may be a part of the JSON itself.
    Raises ``ValueError`` or ``TypeError`` for an answer that is no JSON.
    """
    structured = redact(result.structured)
    text = Clean(json.dumps(structured, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    shown: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": result.is_error}
    if result.preview is not None:
        shown["content"].append(_image(result.preview))
    if revision.structured:
        shown["content"] += [_resource_link(link) for link in result.links[:MOST_LINKS]]
        shown["structuredContent"] = structured
    return shown


def _image(preview: Preview) -> dict[str, Any]:
    return {"type": "image", "data": preview.data, "mimeType": preview.mime_type}


def _resource_link(link: Link) -> dict[str, Any]:
    return {
        "type": "resource_link",
        "uri": link.uri,
        "name": link.name,
        "mimeType": link.mime_type,
        "size": link.size,
    }
