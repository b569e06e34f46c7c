"""What reached the stand-in of Kie, request by request: more than it counts itself."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from dataclasses import replace
from io import BytesIO

from kie_mcp.sandbox.messages import Body

CREATE = "/api/v1/jobs/createTask"
REFUSED_STATUS = frozenset({408, 425, 429, 503})
REFUSED_CODES = frozenset({429, 455, 550})
"""Answers that say for certain that no task was made: after these alone createTask may be sent again."""


class Witness:
    """Stands between the stand-in's sockets and its logic."""

    def __init__(self, sandbox):
        self._lock = threading.Lock()
        self._requests = 0
        self._alarms = []
        self._attempts = defaultdict(list)
        self._answer = sandbox._server.answer
        sandbox._server.answer = self._seen

    @property
    def requests(self):
        """How many requests have arrived."""
        with self._lock:
            return self._requests

    def alarm(self, number):
        """An event that is set when so many requests have arrived."""
        event = threading.Event()
        with self._lock:
            self._alarms.append((number, event))
            self._ring()
        return event

    def attempts(self, prompt):
        """How many createTask requests a prompt has had."""
        with self._lock:
            return sum(len(fates) for (asked, _), fates in self._attempts.items() if asked == prompt)

    def wrongly_repeated(self):
        """The prompts of which createTask was sent again after an answer that does not allow it."""
        with self._lock:
            return sorted(prompt for (prompt, _), fates in self._attempts.items() if not all(fates[:-1]))

    def _ring(self):
        for number, event in self._alarms:
            if self._requests >= number:
                event.set()

    def _seen(self, request):
        with self._lock:
            self._requests += 1
            self._ring()
        return self._create(request) if request.path == CREATE else self._answer(request)

    def _create(self, request):
        data = request.body.read_all()
        answer = self._answer(replace(request, body=Body(BytesIO(data), len(data))))
        prompt = json.loads(data)["input"].get("prompt")
        with self._lock:
            self._attempts[prompt, data].append(_refused(answer))
        return answer


def _refused(answer):
    """Whether an answer says for certain that no task was made."""
    if answer.dropped or answer.length is None:
        return False
    code = re.match(rb'\{"code":(\d+)', b"".join(answer.body))
    return answer.status in REFUSED_STATUS or (code is not None and int(code[1]) in REFUSED_CODES)
