"""Every error that the program raises on purpose.

The tree, with the category that each shows to callers::

    KieMcpError                 internal
    ├── ConfigError             config           a setting that is missing or cannot be used
    ├── BundleError             internal         a bundled file is missing from the installation
    ├── InputError              input            an argument that cannot be used
    │   └── NoResourceError     input            no resource has that URI
    ├── AuthError               auth             the key was refused
    ├── CreditsError            credits          the account or the key has no credits left
    ├── RateLimitError          rate_limit       too many requests
    ├── NetworkError            network          no usable answer; the request may have arrived
    │   └── NotConnectedError   network          the connection was never made: nothing arrived
    ├── ServerError             server           Kie answered with a failure of its own
    │   ├── NotAcceptedError    server           ... and the request was certainly not accepted
    │   └── UnclearAnswerError  server           ... and it cannot be told whether it was accepted
    ├── TaskNotFoundError       input            Kie knows no task of that id (or not yet)
    ├── TaskFailedError         task_failed      the task was made and ended without a picture
    ├── UnknownOutcomeError     unknown_outcome  a task may or may not have been made
    ├── OutputError             output           a picture could not be fetched or written
    │   └── DeadLinkError       output           the link to a picture no longer works
    └── CancelledError          cancelled        the caller ended the call

Errors carry data: what is wrong and with what value (``message``), whether asking again can help
(``retryable``) and what to do (``next_step``). ``as_dict`` is how they are told in every answer.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_TEXT = 2_000
"""Characters of each text of an error: arguments of any length are repeated in them."""

_END = 500


def _cut(text: str) -> str:
    """The beginning and the end of what is long: what is wrong often stands behind the value that is."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - _END - 1]}…{text[-_END:]}"


class KieMcpError(Exception):
    """The root of the tree. ``message`` and ``next_step`` are shown to callers as they are, cut where they are long.

    ``retry_after`` is how long a server asked to wait, in seconds, if it did.
    """

    category = "internal"
    retryable = False
    next_step = "Report this as a bug, with the log."

    def __init__(
        self,
        message: str,
        *,
        next_step: str | None = None,
        retryable: bool | None = None,
        code: int | str | None = None,
        task_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = _cut(message)
        super().__init__(self.message)
        self.code = code
        self.task_id = task_id
        self.retry_after = retry_after
        if next_step is not None:
            self.next_step = _cut(next_step)
        if retryable is not None:
            self.retryable = retryable

    def as_dict(self) -> dict[str, Any]:
        """The ``error`` object of an answer: ``code`` and ``task_id`` only where they are known."""
        shown: dict[str, Any] = {
            "category": self.category,
            "message": self.message,
            "retryable": self.retryable,
            "next_step": self.next_step,
        }
        if self.code is not None:
            shown["code"] = self.code
        if self.task_id is not None:
            shown["task_id"] = _cut(self.task_id)
        return shown


class ConfigError(KieMcpError):
    """A setting is missing or has a value that cannot be used."""

    category = "config"
    next_step = "Correct the named variable in the environment or in .env, then start the server again."


class BundleError(KieMcpError):
    """A bundled JSON file is not there or cannot be read."""

    next_step = "Install kie-mcp again: the installation is incomplete."


class InputError(KieMcpError):
    """An argument is missing, unknown, of the wrong type, or asks for what the model cannot do."""

    category = "input"
    next_step = "Correct the named argument and call again."


class NoResourceError(InputError):
    """There is no resource of the URI ``uri``."""

    next_step = "resources/list has the URIs of what is there, resources/templates/list their forms."

    def __init__(self, uri: str) -> None:
        super().__init__("Resource not found")
        self.uri = uri


class AuthError(KieMcpError):
    """Kie refused the API key."""

    category = "auth"
    next_step = "Check KIE_AI_API_KEY against the key shown at kie.ai/api-key."


class CreditsError(KieMcpError):
    """The account has too few credits, or the key has reached its spending limit."""

    category = "credits"
    next_step = "Add credits or raise the key's limit at kie.ai, or choose a cheaper model (list_models)."


class RateLimitError(KieMcpError):
    """Too many requests."""

    category = "rate_limit"
    retryable = True
    next_step = "Wait a few seconds and call again; nothing was made or billed."


class NetworkError(KieMcpError):
    """No usable answer came back; the request may or may not have arrived."""

    category = "network"
    retryable = True
    next_step = "Check the network and call again."


class NotConnectedError(NetworkError):
    """The connection was never made, so the request certainly did not arrive."""


class ServerError(KieMcpError):
    """Kie answered with a failure of its own."""

    category = "server"
    retryable = True
    next_step = "Try again in a minute; if it stays, try another model."


class NotAcceptedError(ServerError):
    """Kie answered that it did not take the request on: sending it again cannot bill twice."""


class UnclearAnswerError(ServerError):
    """An answer from which it cannot be told whether the request was accepted, e.g. HTTP 502 or a web page."""


class TaskNotFoundError(KieMcpError):
    """Kie knows no task of that id. For a task made seconds ago it means "not visible yet"."""

    category = "input"
    next_step = "Check the task id; list_visual_tasks shows the tasks made from this machine."


class TaskFailedError(KieMcpError):
    """The task was made and ended without a picture."""

    category = "task_failed"
    next_step = "Change the prompt or the model as the message suggests, then ask again."


class UnknownOutcomeError(KieMcpError):
    """createTask was sent and no clear answer came: the task may exist and may be billed."""

    category = "unknown_outcome"
    next_step = (
        "Do not simply repeat the call: the picture may already be paid for. Check kie.ai/logs or get_credits, "
        "and ask again only if no task was made."
    )


class OutputError(KieMcpError):
    """A picture could not be fetched, is not a picture, or could not be written."""

    category = "output"
    next_step = "Call get_visual_task with the task id to fetch the picture again."


class DeadLinkError(OutputError):
    """The link to a picture no longer works; it may be renewed."""


class CancelledError(KieMcpError):
    """The caller ended the call. A task that was made goes on and stays in the ledger."""

    category = "cancelled"
    retryable = True
    next_step = "Call get_visual_task with the task id, or list_visual_tasks, to pick up what was made."
