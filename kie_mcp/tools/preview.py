"""What was saved, shown: a small picture in the answer, where a host is served and previews are wanted."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from kie_mcp.text import Base64
from kie_mcp.tools.spec import Preview, ToolResult

if TYPE_CHECKING:
    from kie_mcp.context import CallContext
    from kie_mcp.services import Services


def with_preview(result: ToolResult, services: Services, context: CallContext) -> ToolResult:
    """The same answer, with a preview of the pictures that it links to, if there are any that can be shown."""
    if not (result.links and services.serving and services.config.preview):
        return result
    from kie_mcp.files.preview import MIME_TYPE

    made = services.jobs.previews.make([(link.uri, link.label) for link in result.links], context)
    if made is None:
        return result
    preview = Preview(Base64(b64encode(made).decode("ascii")), MIME_TYPE)
    return ToolResult(result.structured, is_error=result.is_error, links=result.links, preview=preview)
