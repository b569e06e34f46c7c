"""Every fault of the stand-in, and what a caller has to see of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos.keys import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

FOR_EVER = 0
LONG = {"seconds": 20}
"""How long an answer hangs: longer than the time-out."""
SHORT = {"poll_timeout_seconds": 4}
"""Arguments of a call that is not going to see the end of its task."""

LIMIT = 4_000_000
"""KIE_AI_MAX_IMAGE_BYTES. Far below the default: where the many pieces of a huge picture wait for their turn among the
stand-ins of one busy interpreter, there may be a gap longer than the time-out."""
OVER_LIMIT = LIMIT + 1_000_000


@dataclass(frozen=True)
class Row:
    """A fault, and what is expected of the call that meets it.

    ``ends`` is the ``status`` of the answer or the category of its error, ``retryable`` what the error says.
    ``creates`` are createTask requests (least and most), ``later`` how get_visual_task ends once the fault is gone;
    empty where there is no task to ask for.
    """

    on: str
    kind: str
    ends: str = "success"
    detail: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    retryable: bool | None = None
    billed: int = 1
    creates: tuple[int, int] = (1, 1)
    files: int = 1
    later: str = "success"
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self):
        told = ",".join(f"{name}={value}" for name, value in self.detail.items())
        times = "for ever" if self.times == FOR_EVER else f"x{self.times}"
        return f"{self.on}:{self.kind}{':' if told else ''}{told} {times}".replace(KEY, "the key")


def _refused(kind, detail, category, *, retryable=False):
    """CreateTask is refused for good: nothing is made, nothing is sent again."""
    return Row("create", kind, category, detail, retryable=retryable, billed=0, files=0, later="")


def _unknown(kind, detail=None, *, billed=0):
    """Nobody can say whether a task was made: it is not sent again."""
    return Row("create", kind, "unknown_outcome", detail or {}, retryable=False, billed=billed, files=0, later="")


def _sent_again(kind, detail):
    """Certainly not accepted: sent again, and made once."""
    return Row("create", kind, detail=detail, creates=(2, 2))


def _variants(make, names):
    return tuple(make({"variant": name}) for name in names)


LOST = ("html", "empty", "not_json", "drop")

CREATE = (
    *(_refused("http", {"status": status}, "input") for status in (400, 404, 409, 422)),
    *(_refused("http", {"status": status}, "auth") for status in (401, 403)),
    _refused("http", {"status": 402}, "credits"),
    *(_refused("code", {"code": code}, "input") for code in (400, 404, 422)),
    _refused("code", {"code": 401}, "auth"),
    *(_refused("code", {"code": code}, "credits") for code in (402, 433)),
    *(_refused("code", {"code": code}, "server", retryable=True) for code in (500, 501)),
    _refused("code", {"code": 505}, "server"),
    *(
        _refused("code", {"code": 422, "msg": f"Bearer {said} is wrong"}, "input")
        for said in (KEY, quote(KEY, safe=""))
    ),
    *(_unknown("http", {"status": status}) for status in (500, 502, 504, 524)),
    _unknown("http", {"status": 502, "accepted": True}, billed=1),
    *(_unknown(kind) for kind in LOST),
    *(_unknown(kind, {"accepted": True}, billed=1) for kind in LOST),
    _unknown("hang", LONG, billed=1),
    *(_sent_again("http", {"status": status}) for status in (408, 425, 503)),
    *(_sent_again("code", {"code": code}) for code in (455, 550)),
    _sent_again("retry_after", {"seconds": 1, "status": 503}),
    *_variants(lambda detail: _unknown("hostile", detail), ("types", "deep", "huge", "urls")),
    _unknown("hostile", {"variant": "types", "accepted": True}, billed=1),
    *_variants(lambda detail: _refused("hostile", detail, "input"), ("escapes", "prompt")),
    Row("create", "http", "server", {"status": 503}, FOR_EVER, True, 0, (3, 3), 0, ""),
    Row("create", "code", "server", {"code": 455}, FOR_EVER, True, 0, (3, 3), 0, ""),
)

CREATE_TOO_OFTEN = (
    _sent_again("http", {"status": 429}),
    _sent_again("code", {"code": 429}),
    _sent_again("retry_after", {"seconds": 1}),
    Row("create", "code", "rate_limit", {"code": 429}, FOR_EVER, True, 0, (2, 8), 0, "", SHORT),
)
"""Apart from the others: too many requests slow everyone down who shares the window."""


def _passing(on, kind, detail=None, times=1):
    return Row(on, kind, detail=detail or {}, times=times)


POLL = (
    *(_passing("poll", "http", {"status": status}) for status in (408, 429, 500, 502, 503, 504, 524)),
    *(_passing("poll", "code", {"code": code}) for code in (408, 429, 455, 500, 501, 550)),
    *(_passing("poll", kind, times=2) for kind in LOST),
    _passing("poll", "hang", LONG),
    _passing("poll", "retry_after"),
    _passing("poll", "not_visible", times=2),
    _passing("poll", "unknown_state", times=2),
    _passing("poll", "stuck", times=3),
    _passing("poll", "bad_json"),
    *_variants(lambda detail: _passing("poll", "hostile", detail), ("types", "deep", "huge")),
    *_variants(
        lambda detail: Row("poll", "hostile", "task_failed", detail, 1, False, files=0, later="fail"),
        ("escapes", "prompt"),
    ),
    Row("poll", "hostile", "output", {"variant": "urls"}, 1, False, files=0),
    Row("poll", "http", "auth", {"status": 401}, 1, False, files=0),
    Row("poll", "code", "auth", {"code": 401}, 1, False, files=0),
    Row("poll", "no_urls", "output", {}, 1, False, files=0),
    Row("poll", "fail", "task_failed", {"fail_code": "422", "fail_msg": "Refused"}, 1, False, files=0, later="fail"),
    Row("poll", "fail", "task_failed", {"fail_code": KEY, "fail_msg": KEY}, 1, False, files=0, later="fail"),
)

POLL_IN_VAIN = (
    Row("poll", "http", "submitted", {"status": 502}, FOR_EVER, files=0, arguments=SHORT),
    Row("poll", "drop", "submitted", {}, FOR_EVER, files=0, arguments=SHORT),
    Row("poll", "hang", "submitted", LONG, FOR_EVER, files=0, arguments=SHORT),
    Row("poll", "not_visible", "submitted", {}, FOR_EVER, files=0, arguments=SHORT),
    Row("poll", "unknown_state", "unknown", {}, FOR_EVER, files=0, arguments=SHORT),
    Row("poll", "stuck", "generating", {}, FOR_EVER, files=0, arguments=SHORT),
)
"""Apart from the others, so that each is polled in its short time."""

DOWNLOAD = (
    *(_passing("download", "http", {"status": status}) for status in (408, 425, 429, 500, 502, 503, 504)),
    *(_passing("download", "http", {"status": status}) for status in (401, 403, 404, 410)),
    *(_passing("download", kind, times=2) for kind in ("drop", "truncate")),
    _passing("download", "hang", LONG),
    _passing("download", "retry_after"),
    _passing("download", "dead"),
    _passing("download", "jpeg"),
    *(Row("download", kind, "output", {}, 1, False, files=0) for kind in ("html", "empty", "not_json", "not_picture")),
    Row("download", "code", "output", {"code": 404}, 1, False, files=0),
    Row("download", "huge", "output", {"bytes": OVER_LIMIT}, 1, False, files=0),
    Row("download", "huge", "output", {"bytes": OVER_LIMIT, "declared": False}, 1, False, files=0),
    Row("download", "redirect", "output", {"location": "http://169.254.169.254/latest"}, 1, False, files=0),
    Row("download", "redirect", "output", {"location": "file:///etc/passwd"}, 1, False, files=0),
    _passing("download", "wrong_length", {"says": "double"}),
    Row("download", "wrong_length", "output", {"says": "half"}, 1, False, files=0),
    Row("download", "gzip_bomb", "output", {"bytes": OVER_LIMIT}, 1, False, files=0),
    _passing("download", "drip"),
    _passing("download", "trailers"),
    Row("download", "http", "server", {"status": 502}, FOR_EVER, False, files=0),
    Row("download", "drop", "network", {}, FOR_EVER, False, files=0),
    Row("download", "truncate", "network", {}, FOR_EVER, False, files=0),
    Row("download", "dead", "output", {}, FOR_EVER, False, files=0),
)


def _not_uploaded(kind, category, detail, *, retryable, times=1):
    return Row("upload", kind, category, detail, times, retryable, 0, (0, 0), 0, "")


UPLOAD = (
    *(_passing("upload", "http", {"status": status}) for status in (429, 500, 502, 503)),
    *(_passing("upload", "code", {"code": code}) for code in (429, 500)),
    *(_passing("upload", kind, times=2) for kind in LOST),
    _passing("upload", "hang", LONG),
    _passing("upload", "retry_after"),
    *_variants(lambda detail: _passing("upload", "hostile", detail), ("deep", "huge", "escapes", "prompt")),
    *_variants(lambda detail: _not_uploaded("hostile", "server", detail, retryable=True), ("types", "urls")),
    _not_uploaded("http", "server", {"status": 500}, retryable=True, times=FOR_EVER),
    _not_uploaded("drop", "network", {}, retryable=True, times=FOR_EVER),
    _not_uploaded("http", "auth", {"status": 401}, retryable=False),
    _not_uploaded("code", "input", {"code": 400}, retryable=False),
)

DOWNLOAD_URL = (
    *(_passing("download_url", "http", {"status": status}) for status in (429, 500, 503)),
    *(_passing("download_url", "code", {"code": code}) for code in (429, 500)),
    *(_passing("download_url", kind, times=2) for kind in LOST),
    _passing("download_url", "hang", LONG),
    _passing("download_url", "retry_after"),
    *_variants(lambda detail: _passing("download_url", "hostile", detail), ("deep", "huge", "escapes", "prompt")),
    Row("download_url", "hostile", "server", {"variant": "types"}, 1, True, files=0),
    Row("download_url", "hostile", "server", {"variant": "urls"}, 1, True, files=0),
    Row("download_url", "http", "server", {"status": 502}, FOR_EVER, True, files=0),
    Row("download_url", "code", "output", {"code": 422}, 1, False, files=0),
)
"""Each beside a link that is dead, once, so that it has to be renewed."""


def _plain(on, kind, ends, detail=None, times=1, *, retryable=None):
    return Row(on, kind, ends, detail or {}, times, retryable, 0, (0, 0), 0, "")


CREDITS = (
    *(_plain("credits", "http", "ok", {"status": status}) for status in (429, 500, 503)),
    _plain("credits", "code", "ok", {"code": 500}),
    *(_plain("credits", kind, "ok", times=2) for kind in LOST),
    _plain("credits", "hang", "ok", LONG),
    _plain("credits", "retry_after", "ok"),
    *_variants(lambda detail: _plain("credits", "hostile", "ok", detail), ("deep", "huge", "escapes", "prompt")),
    *_variants(lambda detail: _plain("credits", "hostile", "server", detail, retryable=True), ("types", "urls")),
    _plain("credits", "http", "server", {"status": 500}, FOR_EVER, retryable=True),
    _plain("credits", "drop", "network", {}, FOR_EVER, retryable=True),
    _plain("credits", "code", "auth", {"code": 401}, retryable=False),
)

MODELS = (
    _plain("models", "http", "server", {"status": 500}, FOR_EVER, retryable=True),
    _plain("models", "code", "auth", {"code": 401}, FOR_EVER, retryable=False),
    _plain("models", "retry_after", "server", {"seconds": 1, "status": 503}, FOR_EVER, retryable=True),
    _plain("models", "drop", "network", {}, FOR_EVER, retryable=True),
    _plain("models", "hang", "network", LONG, FOR_EVER, retryable=True),
    *(_plain("models", kind, "server", {}, FOR_EVER, retryable=True) for kind in ("html", "empty", "not_json")),
    _plain("models", "blank", "server", {}, FOR_EVER, retryable=True),
    _plain("models", "hostile", "server", {}, FOR_EVER, retryable=True),
)
"""Reading Kie's own list: after an error the models are as they were."""

ROWS = (*CREATE, *CREATE_TOO_OFTEN, *POLL, *POLL_IN_VAIN, *DOWNLOAD, *UPLOAD, *DOWNLOAD_URL, *CREDITS, *MODELS)
