"""From a request to an answer: who may ask, which endpoint it is, whether a fault strikes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.disturb import disturbed
from kie_mcp.sandbox.faults import Fault, Faults, disturbs
from kie_mcp.sandbox.listing import PATH as MODELS
from kie_mcp.sandbox.messages import UNAUTHORIZED, content, failure, json_answer, success

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kie_mcp.sandbox.downloads import Downloads
    from kie_mcp.sandbox.jobs import Jobs
    from kie_mcp.sandbox.listing import Listing
    from kie_mcp.sandbox.messages import Answer, Request
    from kie_mcp.sandbox.options import SandboxOptions
    from kie_mcp.sandbox.state import State
    from kie_mcp.sandbox.uploads import Uploads

    Handler = Callable[[Request], Answer]

CONTROL = "/sandbox/"
SERVED = ("/files/", "/kieai/")
"""Where files are served: without a key, as Kie's file hosts do."""


class Api:
    """The whole stand-in without its sockets. May be used from any thread."""

    def __init__(
        self,
        options: SandboxOptions,
        state: State,
        faults: Faults,
        rooms: tuple[Jobs, Downloads, Uploads, Listing],
    ) -> None:
        self._api_key = options.api_key
        self._state = state
        self._faults = faults
        self._jobs, self._downloads, self._uploads, self._listing = rooms
        self._routes: Mapping[str, Handler] = {
            "POST /api/v1/jobs/createTask": self._create,
            "GET /api/v1/jobs/recordInfo": self._poll,
            "GET /api/v1/chat/credit": self._credits,
            "POST /api/v1/common/download-url": self._download_url,
            "POST /api/file-stream-upload": self._upload(self._uploads.stream),
            "POST /api/file-base64-upload": self._upload(self._uploads.base64),
            "POST /api/file-url-upload": self._upload(self._uploads.url),
            f"GET {MODELS}": self._models,
        }

    def answer(self, request: Request) -> Answer:
        """Answer one request. Raises ``ConnectionError`` where its body breaks off."""
        if request.path.startswith(CONTROL):
            return self._control(request)
        if request.headers.get("user-agent", "").startswith("Python-urllib"):
            return content(b"error code: 1010", "text/plain; charset=UTF-8", 403)  # Cloudflare's rule at both hosts
        served = next((prefix for prefix in SERVED if request.path.startswith(prefix)), None)
        if served and request.method in ("GET", "HEAD"):
            self._state.count_request(f"{request.method} {served}")
            return self._file(request)
        return self._call(request)

    def _call(self, request: Request) -> Answer:
        path = MODELS if request.path.startswith(f"{MODELS}/") else request.path
        endpoint = f"{request.method} {path}"
        handler = self._routes.get(endpoint)
        self._state.count_request(endpoint if handler else "other")
        if not self._authorized(request):
            return failure(401, UNAUTHORIZED, data=False)
        return handler(request) if handler else failure(404, "No message available")

    def _authorized(self, request: Request) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and bool(key.strip()) and self._api_key in (None, key.strip())

    def _create(self, request: Request) -> Answer:
        body = request.json_object()
        fault = self._faults.take("create", f"{_prompt(body)}\n{(body or {}).get('model')}\n{request.url}")
        return disturbed(fault, lambda: self._jobs.create(body))

    def _poll(self, request: Request) -> Answer:
        task_id = request.query.get("taskId", "")
        self._state.count_poll(task_id)
        task = self._jobs.visible(task_id)
        text = f"{task.text() if task else ''}\n{request.url}"
        fault = self._faults.take("poll", text, self._jobs.unfit(task))
        if fault is not None and not disturbs(fault):
            return self._jobs.poll(task_id, fault)
        return disturbed(fault, lambda: self._jobs.poll(task_id))

    def _file(self, request: Request) -> Answer:
        if "authorization" in request.headers:
            self._state.count("authorized_downloads")
        if not request.path.startswith("/files/"):
            return self._uploads.get(request)
        text = f"{self._downloads.task_text(request.path)}\n{request.url}"
        fault = self._faults.take("download", text) if request.method == "GET" else None
        if fault is not None and not disturbs(fault):
            return self._downloads.get(request, fault)
        return disturbed(fault, lambda: self._downloads.get(request))

    def _credits(self, request: Request) -> Answer:
        return disturbed(self._faults.take("credits", request.url), lambda: success(self._state.credits))

    def _download_url(self, request: Request) -> Answer:
        url = (request.json_object() or {}).get("url")
        return disturbed(self._faults.take("download_url", str(url)), lambda: self._downloads.renew(url))

    def _upload(self, handler: Handler) -> Handler:
        return lambda request: disturbed(self._faults.take("upload", request.url), lambda: handler(request))

    def _models(self, request: Request) -> Answer:
        fault = self._faults.take("models", request.url)
        if fault is not None and not disturbs(fault):
            return self._listing.get(request, fault)
        return disturbed(fault, lambda: self._listing.get(request))

    # the control of the stand-in itself, which Kie does not have

    def _control(self, request: Request) -> Answer:
        endpoint = f"{request.method} {request.path}"
        if endpoint == "GET /sandbox/stats":
            return json_answer(stats_of(self._state, self._faults))
        if endpoint == "DELETE /sandbox/faults":
            self._faults.clear()
            return json_answer({"ok": True})
        if endpoint == "POST /sandbox/faults":
            return self._set_faults(request)
        return json_answer({"ok": False, "error": f"no such control: {endpoint}"}, 404)

    def _set_faults(self, request: Request) -> Answer:
        try:
            sent = json.loads(request.body.read_all())
            faults = [_fault(entry) for entry in (sent if isinstance(sent, list) else [sent])]
        except (ValueError, TypeError) as error:
            return json_answer({"ok": False, "error": str(error)}, 400)
        for fault in faults:
            self._faults.put(fault)
        return json_answer({"ok": True, "added": len(faults)})


def stats_of(state: State, faults: Faults) -> dict[str, Any]:
    """What has been asked so far, and what came of it."""
    return {**state.stats(), "faults_applied": faults.applied}


def _fault(entry: Any) -> Fault:
    """A fault from JSON: an object of ``on``, ``kind``, ``times``, ``after``, ``match`` and details, or short text."""
    if isinstance(entry, str):
        return Faults.parse(entry)
    if not isinstance(entry, dict):
        raise TypeError(f"a fault is an object or a text, not {entry!r}")
    detail = {name: value for name, value in entry.items() if name not in ("on", "kind", "times", "after", "match")}
    on, kind = str(entry.get("on")), str(entry.get("kind"))
    return Fault(on, kind, entry.get("times", 1), entry.get("after", 0), entry.get("match"), detail)


def _prompt(body: Mapping[str, Any] | None) -> str:
    given = (body or {}).get("input")
    return str(given.get("prompt", "")) if isinstance(given, dict) else ""
