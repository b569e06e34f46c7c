"""What a tool is, and what it answers with. Loaded before the first reply, so it imports nothing slow."""

from __future__ import annotations

from kie_mcp import schemas

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from kie_mcp.context import CallContext
    from kie_mcp.errors import KieMcpError
    from kie_mcp.services import Services
    from kie_mcp.text import Base64

    Handler = Callable[[Services, dict[str, Any], CallContext], "ToolResult"]


class Link:
    """A saved picture, as a link that hosts can show: ``uri`` is a ``file://`` URL, ``size`` is in bytes.

    ``label`` tells it apart from the others of its answer: the index of its item, or else its number.
    """

    __slots__ = ("label", "mime_type", "name", "size", "uri")

    def __init__(self, uri: str, name: str, mime_type: str, size: int, label: str = "") -> None:
        self.uri = uri
        self.name = name
        self.mime_type = mime_type
        self.size = size
        self.label = label


class Preview:
    """A small picture of what is linked to, to be shown in the conversation."""

    __slots__ = ("data", "mime_type")

    def __init__(self, data: Base64, mime_type: str) -> None:
        self.data = data
        self.mime_type = mime_type


class ToolResult:
    """A tool's answer: ``structured`` is complete in itself; ``links`` name the files in it, ``preview`` shows them."""

    __slots__ = ("is_error", "links", "preview", "structured")

    def __init__(
        self,
        structured: dict[str, Any],
        *,
        is_error: bool = False,
        links: Sequence[Link] = (),
        preview: Preview | None = None,
    ) -> None:
        self.structured = structured
        self.is_error = is_error
        self.links = tuple(links)
        self.preview = preview

    def telling(self, structured: dict[str, Any]) -> ToolResult:
        """The same answer in other words."""
        return ToolResult(structured, is_error=self.is_error, links=self.links, preview=self.preview)

    @classmethod
    def failure(cls, error: KieMcpError) -> ToolResult:
        """The one error shape, ``{"ok": false, "error": {...}}``."""
        return cls({"ok": False, "error": error.as_dict()}, is_error=True)


class Tool:
    """One tool, declared once: the schemas that are published are the objects that validate.

    ``annotations`` are MCP's hints (``readOnlyHint`` and so on) without the title.
    """

    __slots__ = ("_schemas", "annotations", "description", "handler", "name", "title")

    def __init__(self, name: str, title: str, description: str, annotations: dict[str, bool], handler: Handler) -> None:
        self.name = name
        self.title = title
        self.description = description
        self.annotations = annotations
        self.handler = handler
        self._schemas: dict[str, Any] | None = None

    def _loaded(self) -> dict[str, Any]:
        if self._schemas is None:
            self._schemas = schemas.load_tool(self.name)
        return self._schemas

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the arguments, from ``schemas/tools/<name>.json``."""
        schema: dict[str, Any] = self._loaded()["input"]
        return schema

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of ``structuredContent``, errors included."""
        schema: dict[str, Any] = self._loaded()["output"]
        return schema
