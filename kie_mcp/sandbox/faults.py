"""Failures on demand: every way in which Kie is known to fail, scripted by tests, HTTP or command line.

Short text for the command line, ``ON:KIND[:key=value,...][:times]``::

    create:code:429:2                 the next two createTask calls get body code 429
    create:drop:accepted=true         the connection is dropped after the task was made
    poll:fail:fail_code=422,fail_msg=Refused,match=cat   tasks whose prompt has "cat" fail
    download:dead:0                   every result link is dead
    poll:hostile:escapes              a poll says that the task failed, in text that a terminal obeys

A kind with a leading detail (``http`` status, ``code`` code, ``hang``, ``retry_after``, ``drip`` and
``trailers`` seconds, ``fail`` fail_code, ``unknown_state`` state, ``huge`` and ``gzip_bomb`` bytes, ``redirect``
location, ``wrong_length`` says, ``hostile`` variant) takes it without its name.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox.hostile import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

TARGETS = ("create", "poll", "download", "credits", "upload", "download_url", "models")

ANYWHERE: Mapping[str, Mapping[str, Any]] = {
    "http": {"status": 500},
    "code": {"code": 500, "msg": ""},
    "drop": {},
    "hang": {"seconds": 60.0},
    "html": {},
    "empty": {},
    "not_json": {},
    "retry_after": {"seconds": 1, "status": 429},
}
"""Kinds that any target can have, with their details and defaults; the first detail leads."""

HOSTILE = "hostile"

ONLY: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "create": {HOSTILE: {"variant": "types", "accepted": False}},
    "credits": {HOSTILE: {"variant": "types"}},
    "upload": {HOSTILE: {"variant": "types"}},
    "download_url": {HOSTILE: {"variant": "types"}},
    "poll": {
        HOSTILE: {"variant": "types"},
        "fail": {"fail_code": "500", "fail_msg": "Internal Error"},
        "unknown_state": {"state": "archived"},
        "not_visible": {},
        "stuck": {},
        "no_urls": {},
        "bad_json": {},
    },
    "download": {
        "dead": {},
        "truncate": {},
        "not_picture": {},
        "jpeg": {},
        "huge": {"bytes": 105_000_000, "declared": True},
        "redirect": {"location": ""},
        "drip": {"seconds": 1.0},
        "gzip_bomb": {"bytes": 1_000_000_000},
        "wrong_length": {"says": "half"},
        "trailers": {"seconds": 0.2},
    },
    "models": {
        "blank": {},
        HOSTILE: {},
    },
}
"""Kinds that belong to one target. ``huge`` with ``declared`` false has no Content-Length. ``blank`` is an
answer of the right form with nothing in it, ``hostile`` one whose parts are of wrong types or ill meant; its
``variant`` is one of ``kie_mcp.sandbox.hostile.VARIANTS``. ``drip`` sends the picture a byte at a time, ``seconds``
apart; ``gzip_bomb`` a picture of ``bytes`` packed to a thousandth; ``wrong_length`` the whole picture with a
Content-Length of ``half``, ``double`` or whatever else ``says``; ``trailers`` the whole picture in chunks and then
trailers without end, ``seconds`` apart."""

ANSWERED: AbstractSet[str] = frozenset(ANYWHERE) - {"hang"}
"""Kinds that answer in the place of createTask; ``accepted`` says whether the task was made before."""


@dataclass(frozen=True)
class Fault:
    """One scripted failure. ``times`` 0 means for ever; ``after`` matching requests pass before it.

    ``match`` is part of the prompt, the model id or the URL. Raises ``ValueError`` where target, kind or
    detail is not known.
    """

    on: str
    kind: str
    times: int = 1
    after: int = 0
    match: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = kinds_of(self.on)
        if self.kind not in known:
            raise ValueError(f"{self.on} has no fault {self.kind!r}; known are {', '.join(known)}")
        defaults = details_of(self.on, self.kind)
        unknown = sorted(set(self.detail) - set(defaults))
        if unknown:
            raise ValueError(
                f"{self.kind} on {self.on} has no {unknown[0]!r}; known are {', '.join(defaults) or 'none'}"
            )
        given = {name: _typed(name, value, defaults[name]) for name, value in self.detail.items()}
        object.__setattr__(self, "detail", {**defaults, **given})
        for name in ("times", "after"):
            object.__setattr__(self, name, _typed(name, getattr(self, name), 0))
        if self.match is not None:
            object.__setattr__(self, "match", str(self.match))
        if self.kind == "redirect" and not self.detail["location"]:
            raise ValueError("redirect needs a location")
        if self.detail.get("variant", "types") not in VARIANTS:
            raise ValueError(f"hostile has no {self.detail['variant']!r}; known are {', '.join(VARIANTS)}")


def kinds_of(on: str) -> list[str]:
    """The kinds that a target can have. Raises ``ValueError`` for an unknown target."""
    if on not in TARGETS:
        raise ValueError(f"no fault can be set on {on!r}; known are {', '.join(TARGETS)}")
    return [*ANYWHERE, *ONLY.get(on, {})]


def details_of(on: str, kind: str) -> dict[str, Any]:
    """A kind's details and their defaults."""
    found = dict(ANYWHERE.get(kind) or ONLY.get(on, {}).get(kind, {}))
    return {**found, "accepted": False} if on == "create" and kind in ANSWERED else found


def disturbs(fault: Fault) -> bool:
    """Whether a fault stands in for any answer of its endpoint, instead of changing the right one."""
    return fault.kind in ANYWHERE or (fault.kind == HOSTILE and fault.on != "models")


def _typed(name: str, value: Any, default: Any) -> Any:
    """``value`` as the type of ``default``: details come as text from the command line."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        number = type(default)(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be {value!r}; accepted is a {type(default).__name__}") from error
    if not isinstance(number, str) and not 0 <= number < 2**31:
        raise ValueError(f"{name} cannot be {value!r}; accepted is 0 to {2**31 - 1}")
    return number


class _Armed:
    """A fault with its counters."""

    __slots__ = ("fault", "left_to_skip", "used")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left_to_skip = fault.after
        self.used = 0

    def strikes(self) -> bool:
        """Count one matching request; true where the fault applies to it."""
        if self.left_to_skip:
            self.left_to_skip -= 1
            return False
        self.used += 1
        return True

    @property
    def spent(self) -> bool:
        return bool(self.fault.times) and self.used >= self.fault.times


class Faults:
    """The faults that are set, in the order in which they were added. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self._applied = 0

    def add(
        self, on: str, kind: str, *, times: int = 1, after: int = 0, match: str | None = None, **detail: Any
    ) -> Fault:
        """Set one fault. Raises ``ValueError`` naming what is known."""
        return self.put(Fault(on, kind, times, after, match, detail))

    def put(self, fault: Fault) -> Fault:
        """Set a fault that was made elsewhere, e.g. by ``parse``."""
        with self._lock:
            self._armed.append(_Armed(fault))
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._armed.clear()

    @property
    def applied(self) -> int:
        """How many requests have met a fault."""
        with self._lock:
            return self._applied

    def take(self, on: str, text: str, unfit: AbstractSet[str] = frozenset()) -> Fault | None:
        """The fault for a request, if one applies. ``text`` is what ``match`` looks at; ``unfit`` kinds pass."""
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if fault.on != on or fault.kind in unfit or (fault.match is not None and fault.match not in text):
                    continue
                if armed.strikes():
                    self._applied += 1
                    self._armed = [kept for kept in self._armed if not kept.spent]
                    return fault
        return None

    @staticmethod
    def parse(text: str) -> Fault:
        """A fault from ``ON:KIND[:key=value,...][:times]``. Raises ``ValueError`` saying what is wrong."""
        on, _, rest = text.partition(":")
        kind, _, rest = rest.partition(":")
        if kind not in kinds_of(on):
            raise ValueError(f"{on} has no fault {kind!r}; known are {', '.join(kinds_of(on))}")
        leading = next(iter(details_of(on, kind)), "accepted")
        times = 1
        if (counted := re.fullmatch(r"(?:(.*):)?(\d+)", rest)) and (counted[1] or leading == "accepted"):
            rest, times = counted[1] or "", int(counted[2])
        given: dict[str, Any] = {}
        for part in rest.split(",") if rest else []:
            name, equals, value = part.partition("=")
            given[name if equals else leading] = value if equals else name
        after, match = given.pop("after", 0), given.pop("match", None)
        return Fault(on, kind, given.pop("times", times), after, match, given)
