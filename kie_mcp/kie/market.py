"""Kie's catalogue: the list of its models and the schema of each.

Source: docs.kie.ai, the catalogue API: one request a second for all of it, over which code 429 comes in the
body without a ``Retry-After``. That budget is the account's: whoever else uses the key has a share in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenacity import RetryCallState, Retrying, retry_if_exception

from kie_mcp.errors import RateLimitError
from kie_mcp.kie.retry import RETRY_AFTER_CAP, transient

if TYPE_CHECKING:
    from kie_mcp.context import CallContext
    from kie_mcp.kie.client import KieClient

SPACING_SECONDS = 1.1
"""From the end of one answer to the next request: a little more than the second that Kie asks for."""

_ATTEMPTS = 3
_ATTEMPTS_IN_A_CROWD = 10
_LONGEST_DELAY = 10.0


class Market:
    """One reading of the catalogue, on one thread. Raises the errors of ``kie_mcp.errors`` only.

    What it returns is as Kie sent it: any JSON value.
    """

    def __init__(self, client: KieClient) -> None:
        self._client = client
        self._next = float("-inf")

    def models(self, context: CallContext) -> Any:
        """The ``data`` of GET /models."""
        return self._read("/models", context)

    def schema(self, model_id: str, context: CallContext) -> Any:
        """The ``data`` of GET /models/{model}/schema; the slash of an id stands in the path as it is.

        ``model_id`` has to be checked before: it becomes part of a URL.
        """
        return self._read(f"/models/{model_id}/schema", context)

    def _read(self, path: str, context: CallContext) -> Any:
        """Ask until there is an answer, waiting longer each time: many times where others use up the budget."""

        def send() -> Any:
            early = self._next - context.clock.monotonic()
            if early > 0:
                context.sleep(early)
            try:
                return self._client.read(path, context)
            finally:
                self._next = context.clock.monotonic() + SPACING_SECONDS

        retrying = Retrying(
            stop=lambda state: state.attempt_number >= _patience(state) or context.remaining() <= state.upcoming_sleep,
            wait=_delay,
            retry=retry_if_exception(transient),
            sleep=context.sleep,
            reraise=True,
        )
        return retrying(send)


def _patience(state: RetryCallState) -> int:
    error = state.outcome.exception() if state.outcome else None
    return _ATTEMPTS_IN_A_CROWD if isinstance(error, RateLimitError) else _ATTEMPTS


def _delay(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = min(getattr(error, "retry_after", None) or 0.0, RETRY_AFTER_CAP)
    return max(asked, min(2.0 * state.attempt_number, _LONGEST_DELAY))
