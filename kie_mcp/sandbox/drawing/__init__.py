"""Pictures drawn from a prompt with nothing but the standard library."""

from __future__ import annotations

from kie_mcp.sandbox.drawing.gallery import Gallery, PictureKey

__all__ = ["Gallery", "PictureKey"]
