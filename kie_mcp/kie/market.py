"""Kie's catalogue: the list of its models and the schema of each.

Source: docs.kie.ai, the catalogue API: one request a second for all of it, over which code 429 comes in the
body without a ``Retry-After``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kie_mcp.context import CallContext
    from kie_mcp.kie.client import KieClient

SPACING_SECONDS = 1.1
"""From the end of one answer to the next request: a little more than the second that Kie asks for."""


class Market:
    """One reading of the catalogue, on one thread. Raises the errors of ``kie_mcp.errors`` only.

    What it returns is as Kie sent it: any JSON value.
    """

    def __init__(self, client: KieClient) -> None:
        self._client = client
        self._next = float("-inf")

    def models(self, context: CallContext) -> Any:
        """The ``data`` of GET /models."""
        return self._client.read("/models", context, self._turn)

    def schema(self, model_id: str, context: CallContext) -> Any:
        """The ``data`` of GET /models/{model}/schema; the slash of an id stands in the path as it is.

        ``model_id`` has to be checked before: it becomes part of a URL.
        """
        return self._client.read(f"/models/{model_id}/schema", context, self._turn)

    @contextmanager
    def _turn(self, context: CallContext) -> Iterator[None]:
        early = self._next - context.clock.monotonic()
        if early > 0:
            context.sleep(early)
        try:
            yield
        finally:
            self._next = context.clock.monotonic() + SPACING_SECONDS
