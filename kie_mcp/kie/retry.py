"""Which failures are tried again, how often and after how long. The waiting itself is the call's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import RetryCallState, Retrying, retry_if_exception

from kie_mcp.errors import KieMcpError, NetworkError, NotAcceptedError, NotConnectedError, RateLimitError, ServerError
from kie_mcp.log import logger

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext

RETRY_AFTER_CAP = 60.0
LONGEST_DELAY = 60.0


def certainly_not_accepted(error: BaseException) -> bool:
    """Failures after which even createTask may be sent again: nothing can have been made or billed.

    Too many requests is one of them, but the shared rate window deals with it.
    """
    return isinstance(error, NotConnectedError | NotAcceptedError) and error.retryable


def transient(error: BaseException) -> bool:
    """Failures after which a request that changes nothing may be sent again."""
    return isinstance(error, NetworkError | RateLimitError | ServerError) and error.retryable


def retrying(
    config: Config, context: CallContext, random: random.Random, worth: Callable[[BaseException], bool]
) -> Retrying:
    """A ``tenacity`` retrier: attempts from the settings, waits that end at once when the call is cancelled.

    It gives up rather than wait past the call's deadline.
    """

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            return float(min(asked, RETRY_AFTER_CAP))
        delay = config.http_retry_backoff_seconds * 2.0 ** (state.attempt_number - 1)
        return min(delay, LONGEST_DELAY) * random.uniform(0.75, 1.25)

    def stop(state: RetryCallState) -> bool:
        return state.attempt_number >= config.http_retries or context.remaining() <= state.upcoming_sleep

    def note(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        reason = error.message if isinstance(error, KieMcpError) else repr(error)
        logger().info("attempt %d failed, trying again: %s", state.attempt_number, reason)

    return Retrying(
        stop=stop,
        wait=wait,
        retry=retry_if_exception(worth),
        sleep=context.sleep,
        before_sleep=note,
        reraise=True,
    )
