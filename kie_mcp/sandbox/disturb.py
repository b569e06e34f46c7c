"""Faults that can strike any endpoint, turned into answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kie_mcp.sandbox.faults import HOSTILE
from kie_mcp.sandbox.hostile import hostile
from kie_mcp.sandbox.messages import Answer, content, failure, json_answer, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kie_mcp.sandbox.faults import Fault

TITLES: Mapping[int, str] = {
    403: "403 Forbidden",
    404: "404 Not Found",
    408: "408 Request Timeout",
    425: "425 Too Early",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
    524: "524: A timeout occurred",
}

MESSAGES: Mapping[int, str] = {
    401: "You do not have access permissions",
    402: "Credits insufficient",
    404: "Not found",
    422: "Validation failed",
    429: "Your call frequency is too high. Please try again later.",
    433: "The usage limit of this key has been reached",
    455: "The service is under maintenance",
    500: "internal error, please try again later.",
    501: "Generation failed",
    505: "This feature is disabled",
    550: "Rejected: the upstream queue is full",
}


def disturbed(fault: Fault | None, proceed: Callable[[], Answer]) -> Answer:
    """The answer to a request that meets ``fault``; ``proceed`` gives the undisturbed one."""
    if fault is None:
        return proceed()
    if fault.kind == "hang":
        return replace(proceed(), delay=fault.detail["seconds"])
    if fault.detail.get("accepted"):
        proceed()
    return _ANSWERS[fault.kind](fault)


def _http(fault: Fault) -> Answer:
    status = fault.detail["status"]
    return page(status, TITLES.get(status, f"{status} Error"))


def _code(fault: Fault) -> Answer:
    code = fault.detail["code"]
    return failure(code, fault.detail["msg"] or MESSAGES.get(code, "error"))


def _retry_after(fault: Fault) -> Answer:
    status = fault.detail["status"]
    body = {"code": status, "msg": MESSAGES.get(status, TITLES.get(status, "error")), "data": None}
    return json_answer(body, status, {"Retry-After": str(fault.detail["seconds"])})


_ANSWERS: Mapping[str, Callable[[Fault], Answer]] = {
    "http": _http,
    "code": _code,
    "drop": lambda _: Answer(dropped=True),
    "html": lambda _: page(200, "Just a moment..."),
    "empty": lambda _: content(b"", "application/json"),
    "not_json": lambda _: content(b'{"code":200,"msg":"success","da', "application/json"),
    "retry_after": _retry_after,
    HOSTILE: lambda fault: hostile(fault.on, fault.detail["variant"]),
}
