"""What an error says once a task was made: the picture is paid for, and must not be asked for again."""

from __future__ import annotations

from kie_mcp.errors import AuthError, CancelledError, ConfigError, KieMcpError, OutputError, TaskFailedError

_FETCH = (
    "The task was made and is paid for, so do not ask for the picture again: call get_visual_task with this task_id "
    "to fetch it."
)
_SAYS_IT_ITSELF = (TaskFailedError, OutputError, CancelledError)
_FIRST_TO_BE_PUT_RIGHT = (AuthError, ConfigError)


def after_payment(error: KieMcpError, task_id: str, *, repeatable: bool) -> KieMcpError:
    """The same error, about this task. ``repeatable`` says whether the call that failed may be made again.

    Advice such as "call again" or "try another model" would buy a second picture.
    """
    error.task_id = task_id
    error.retryable = error.retryable and repeatable
    if not isinstance(error, _SAYS_IT_ITSELF):
        first = f"{error.next_step} " if isinstance(error, _FIRST_TO_BE_PUT_RIGHT) else ""
        error.next_step = first + _FETCH
    return error
