"""The authorised calls: createTask, recordInfo, credits, download-url and uploads."""

from __future__ import annotations

import re
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kie_mcp.config import is_loopback_host
from kie_mcp.errors import (
    InputError,
    NetworkError,
    NotConnectedError,
    TaskNotFoundError,
    UnclearAnswerError,
    UnknownOutcomeError,
)
from kie_mcp.kie.bodies import read_body
from kie_mcp.kie.envelope import read_envelope
from kie_mcp.kie.retry import certainly_not_accepted, retrying, transient
from kie_mcp.kie.status import TaskStatus, is_link, read_status
from kie_mcp.kie.transport import BearerAuth, new_session, patience, timeouts, translated
from kie_mcp.kie.upload import MultipartFile, Uploaded
from kie_mcp.log import logger
from kie_mcp.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext

_NO_SUCH_TASK = frozenset({404, 422})
_UPLOAD_FOLDER = "kie-mcp"
_TASK_ID = re.compile(r"[\x21-\x7e]{1,200}")


def is_task_id(text: str) -> bool:
    """Whether a text has the form of a task id."""
    return _TASK_ID.fullmatch(text) is not None


class KieClient:
    """Kie's API for one key. Safe for many threads; raises the errors of ``kie_mcp.errors`` only.

    ``poll_turn`` is called before every recordInfo request and waits until one may be sent.
    """

    def __init__(
        self, config: Config, *, poll_turn: Callable[[CallContext], None], random: Random | None = None
    ) -> None:
        self._config = config
        self._poll_turn = poll_turn
        self._random = random or Random()  # noqa: S311 - jitter, nothing secret
        self._session = new_session(config)
        _warn_of_clear_text(config)

    def create_task(self, body: Mapping[str, Any], context: CallContext) -> str:
        """Submit a task and return its id (docs.kie.ai, createTask).

        Sent again only where the first was certainly not accepted. Raises ``UnknownOutcomeError`` where it
        cannot be told, ``RateLimitError`` at once, otherwise the error of the refusal.
        """
        send = partial(self._send_create, body, context)
        try:
            data = retrying(self._config, context, self._random, certainly_not_accepted)(send)
        except (NotConnectedError, UnknownOutcomeError):
            raise
        except (NetworkError, UnclearAnswerError) as error:
            raise UnknownOutcomeError(
                f"createTask was sent, but whether a task was made is not known: {error.message}",
                code=error.code,
            ) from error
        task_id = data.get("taskId") if isinstance(data, dict) else None
        if not isinstance(task_id, str) or not is_task_id(task_id):
            raise UnknownOutcomeError("Kie accepted the task but gave no usable task id.")
        return task_id

    def _send_create(self, body: Mapping[str, Any], context: CallContext) -> Any:
        """One createTask, on a connection of its own.

        One that was used before may have been closed by the server just now; it would break with the request
        on its way, and nobody could say whether it arrived. A ``Connection: close`` alone does not prevent
        that: urllib3 goes by the answer's, and not every server repeats it.
        """
        url = self._config.base_url + self._config.create_task_path
        with new_session(self._config) as session:
            session.headers["Connection"] = "close"
            return self._call("POST", url, context, session=session, json=dict(body))

    def get_task(self, task_id: str, context: CallContext, *, once: bool = False) -> TaskStatus:
        """Ask for a task's status (docs.kie.ai, recordInfo).

        ``once`` leaves trying again to the caller's next poll. Raises ``TaskNotFoundError`` for an id that Kie does
        not know (yet), ``InputError`` for what cannot be one.
        """
        if not is_task_id(task_id):
            raise InputError(f"{shortened(task_id, 80)!r} cannot be a task id; list_visual_tasks shows known ones.")
        url = self._config.base_url + self._config.get_task_path

        def send() -> Any:
            self._poll_turn(context)
            return self._call("GET", url, context, params={"taskId": task_id})

        try:
            data = send() if once else retrying(self._config, context, self._random, transient)(send)
        except InputError as error:
            if error.code in _NO_SUCH_TASK:
                raise TaskNotFoundError(
                    f"Kie knows no task {printable(task_id, 80)!r}.", code=error.code, task_id=task_id
                ) from error
            raise
        return read_status(task_id, data, self._config.secrets())

    def credits(self, context: CallContext) -> float:
        """The account's balance in credits (docs.kie.ai, /chat/credit: ``data`` is a bare number)."""
        data = self._retried("GET", self._config.base_url + "/chat/credit", context)
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise UnclearAnswerError("Kie's answer has no number of credits in it.")
        return float(data)

    def renewed_link(self, url: str, context: CallContext) -> str:
        """A fresh link to a result, good for 20 minutes (docs.kie.ai, /common/download-url)."""
        data = self._retried("POST", self._config.base_url + "/common/download-url", context, json={"url": url})
        if not isinstance(data, str) or not is_link(data):
            raise UnclearAnswerError("Kie's answer has no usable link in it.")
        return data

    def upload(self, opened: Callable[[], BinaryIO], mime_type: str, context: CallContext) -> Uploaded:
        """Upload a picture as a stream and return the URL that models accept (docs.kie.ai, file-stream-upload).

        Each attempt sends what ``opened`` gives, an open file, and closes it. The name of the file stays here;
        the link ends with the extension of its type, and lives for about a day. Lets through what ``opened``
        raises, and raises ``InputError`` where the file is cut short meanwhile, ``CancelledError`` and, at the
        call's deadline, ``NetworkError`` in the middle of it.
        """
        url = self._config.upload_base_url + "/api/file-stream-upload"

        def send() -> tuple[Any, str]:
            name = f"{self._random.getrandbits(64):016x}.{mime_type.partition('/')[2]}"
            fields = {"uploadPath": _UPLOAD_FOLDER, "fileName": name}
            with MultipartFile(opened(), mime_type, fields, partial(_go_on, context)) as form:
                answer = self._call("POST", url, context, data=form, headers={"Content-Type": form.content_type})
                return answer, form.sha256

        data, sha256 = retrying(self._config, context, self._random, transient)(send)
        link = data.get("downloadUrl") if isinstance(data, dict) else None
        if not isinstance(link, str) or not is_link(link):
            raise UnclearAnswerError("Kie's answer to the upload has no usable downloadUrl in it.")
        return Uploaded(link, sha256)

    def read(self, path: str, context: CallContext) -> Any:
        """The ``data`` of a GET below the base URL, asked for once."""
        return self._call("GET", self._config.base_url + path, context)

    def _retried(self, method: str, url: str, context: CallContext, **sent: Any) -> Any:
        attempt: Callable[[], Any] = lambda: self._call(method, url, context, **sent)  # noqa: E731 - one use
        return retrying(self._config, context, self._random, transient)(attempt)

    def _call(
        self,
        method: str,
        url: str,
        context: CallContext,
        *,
        session: Any = None,
        **sent: Any,
    ) -> Any:
        """One request and its envelope; redirects are not followed, so that the key goes to one host only."""
        context.raise_if_cancelled()
        # A createTask (on a session of its own) is never cut short: nobody could say what became of it.
        timeout = self._config.timeout_seconds if session else patience(self._config, context)
        with translated(urlsplit(url).hostname or url):
            response = (session or self._session).request(
                method,
                url,
                auth=BearerAuth(self._config.require_key()),
                timeout=timeouts(timeout),
                allow_redirects=False,
                stream=True,
                **sent,
            )
            with response:
                body = read_body(response, context.clock, timeout)
        return read_envelope(response.status_code, response.headers, body, self._config.secrets())


def _warn_of_clear_text(config: Config) -> None:
    """A network in which an API without https is right may exist; whoever reads along there has the key."""
    for name, url in (("KIE_AI_BASE_URL", config.base_url), ("KIE_AI_UPLOAD_BASE_URL", config.upload_base_url)):
        parts = urlsplit(url)
        if config.api_key and parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
            logger().warning("%s is not https: the API key goes to %s in clear text.", name, parts.hostname)


def _go_on(context: CallContext) -> None:
    """End an upload whose call has ended."""
    context.raise_if_cancelled()
    if not context.remaining():
        raise NetworkError("The time of this call ended before the picture was uploaded.")
