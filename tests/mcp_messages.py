"""What is said between a client and the server.

Each message of the server is held against the official definitions, and against what was asked for.

The revision of a request is 2026-07-28 where its ``_meta`` names one, else what the last ``initialize`` before it
settled on, 2025-11-25 where there was none.
"""

from __future__ import annotations

import itertools
import json
import threading

import mcp_definitions as definitions
from mcp_definitions import BATCHES, LATEST, LEVELS
from mcp_requests import Handshake, Request, is_id, is_message, is_response, key, read, refuse, with_handshake


class Conversation:
    """Told of every line in both directions; ``problems`` is what was wrong with those of the server.

    ``outputs``: the ``outputSchema`` of tools by their names, as far as ``tools/list`` has not told them. ``crossing``:
    a call may be answered although it was cancelled, since the two may meet on the way. Any thread may tell.
    """

    def __init__(self, outputs=None, *, crossing=False):
        self.problems = []
        self._outputs = dict(outputs or {})
        self._crossing = crossing
        self._lock = threading.Lock()
        self._handshake = Handshake()
        self._open = {}
        self._without_id = 0
        self._levels = {}

    def sent(self, line):
        """Note a line to the server, before it can be answered."""
        line = line.encode() if isinstance(line, str) else line
        if not line.strip():
            return
        value = read(line)
        with self._lock:
            if isinstance(value, list) and value and self._handshake.revision == BATCHES:
                batch = []
                for each in value:
                    self._sent(each, batch)
            else:
                self._sent(value, None)

    def received(self, line):
        """Note a line of the server; the message in it."""
        try:
            message = json.loads(line, parse_constant=refuse)
        except ValueError as error:
            self._complain([f"no JSON: {error}"], line)
            return None
        with self._lock:
            found = self._array(message) if isinstance(message, list) else self._one(message, None)
        self._complain(found, line)
        return message

    @property
    def owed(self):
        """What is still to come: the ids of requests neither answered nor cancelled, ``None`` for an error without."""
        with self._lock:
            return [request.id for request in self._requests() if request.waits] + [None] * self._without_id

    def check(self):
        """Fail where a message of the server was wrong."""
        assert not self.problems, "\n".join(self.problems)

    def _complain(self, problems, line):
        self.problems += [f"{problem}\n    in {line[:500]!r}" for problem in problems]

    def _requests(self):
        return [request for requests in self._open.values() for request in requests]

    # what is sent

    def _sent(self, value, batch):
        if is_response(value):
            return
        if is_message(value) and "id" not in value:
            self._notified(value)
        elif isinstance(value, dict) and is_id(value.get("id")):
            self._asked(value, batch)
        else:
            self._without_id += 1

    def _notified(self, notification):
        params = notification.get("params")
        request_id = params.get("requestId") if isinstance(params, dict) else None
        if notification["method"] == "notifications/cancelled" and is_id(request_id):
            for request in self._open.get(key(request_id), ()):
                request.cancelled = True

    def _asked(self, value, batch):
        params = with_handshake(value)
        begins = params is not None and value["method"] == "initialize"
        if begins:
            self._handshake = Handshake(params.get("protocolVersion"), self._handshake)
        request = Request(value, self._handshake, batch, begins=begins)
        if params is not None and value["method"] == "logging/setLevel" and params.get("level") in LEVELS:
            self._levels[request] = params["level"]
        self._open.setdefault(key(request.id), []).append(request)
        if batch is not None:
            batch.append(request)

    # what is received

    def _array(self, messages):
        """The answers to a batch: all of them, and of no other."""
        answered = []
        found = [problem for message in messages for problem in self._one(message, answered)]
        batches = {id(request.batch): request.batch for request in answered}
        if len(batches) != 1:
            return [*found, f"an array of answers to {len(batches)} batches"]
        missing = [request.id for batch in batches.values() for request in batch if request.waits]
        return [*found, f"an array without the answers to {missing}"] if missing else found

    def _one(self, message, answered):
        """What is wrong with one message; ``answered``: the requests that the array it stands in has answered."""
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return ["no message of JSON-RPC 2.0"]
        if "method" in message:
            return self._notification(message) if answered is None else ["a notification in an array of answers"]
        if ("result" in message) == ("error" in message):
            return ["a response needs a result or an error"]
        if "id" not in message:
            return self._nameless(message)
        return self._answer(message, answered) if is_id(message["id"]) else ["an id that is none"]

    def _nameless(self, message):
        """An error for a line without a usable id.

        Up to 2025-06-18 the definitions require the id that there is none of (MCP has the error without one all the
        same: an id of ``null`` fits no definition), so it is held against that of the first revision that does not.
        """
        if self._without_id == 0:
            return ["an answer without an id where every line had one"]
        self._without_id -= 1
        found = definitions.error_problems(LATEST, message)
        if not found and message["error"]["code"] not in (-32700, -32600):
            found.append("an error without an id that is neither of a parse error nor of an invalid request")
        return found

    def _answer(self, message, answered):
        """An answer to one of the requests of that id; where there are several, to that which it fits.

        Of two with the same id the later one is answered first, since the server refuses it or answers it at once. In
        arrays nobody could tell: no test sends that.
        """
        fitting = [
            request
            for request in self._open.get(key(message["id"]), ())
            if (request.batch is None) == (answered is None) and (request.may_be_answered or self._crossing)
        ]
        if not fitting:
            return ["an answer that nobody waits for"]
        found = [(self._answer_problems(request, message), request) for request in reversed(fitting)]
        problems, request = min(found, key=lambda each: (bool(each[0]), each[1].cancelled))
        self._close(request, message)
        if answered is not None:
            answered.append(request)
        return problems

    def _close(self, request, message):
        request.answered = True
        requests = self._open[key(request.id)]
        requests.remove(request)
        if not requests:
            del self._open[key(request.id)]
        if request.begins and "error" in message:
            request.handshake.refused = True
        if request in self._levels and "result" in message and not self._crossing:
            self._levels = dict(itertools.dropwhile(lambda item: item[0] is not request, self._levels.items()))

    def _answer_problems(self, request, message):
        if "error" in message:
            return definitions.error_problems(request.revision, message)
        if not request.is_valid:
            return ["a result for what is no request"]
        problems = definitions.result_problems(request.revision, request.method, message["result"])
        if not problems and len(message) > len(("jsonrpc", "id", "result")):
            problems.append("a response with further members")
        return problems or self._more_problems(request, message["result"])

    def _more_problems(self, request, result):
        if request.begins and result["protocolVersion"] != request.revision:
            return [f"settled on {result['protocolVersion']}, not on {request.revision}"]
        if request.method == "tools/list":
            self._outputs |= {tool["name"]: tool["outputSchema"] for tool in result["tools"] if "outputSchema" in tool}
        if request.method == "tools/call":
            return definitions.call_problems(request.revision, result, self._outputs.get(request.tool))
        return []

    def _notification(self, message):
        if "id" in message:
            return ["a request to the client"]
        if message["method"] == "notifications/progress":
            return self._progress(message)
        if message["method"] == "notifications/message":
            return self._logged(message)
        return ["a notification that was not announced"]

    def _progress(self, message):
        params = message.get("params")
        token = params.get("progressToken") if isinstance(params, dict) else None
        waiting = [request for request in self._requests() if is_id(token) and request.token == key(token)]
        if not waiting:
            return ["progress of a call that is over or never was"]
        found = [definitions.problems(request.revision, "ProgressNotification", message) for request in waiting]
        if min(found) or len(waiting) > 1:  # with several nobody knows whose it is
            return min(found)
        before, waiting[0].progress = waiting[0].progress, params["progress"]
        return [] if before < params["progress"] else [f"progress from {before} to {params['progress']}"]

    def _logged(self, message):
        """Told to whom has set a level, or has asked for it in a request that is not answered yet."""
        asked = [(request.revision, level) for request, level in self._levels.items()]
        asked += [(request.revision, request.level) for request in self._requests() if request.level]
        if not asked:
            return ["a message of the log that nobody asked for"]
        found = min(definitions.problems(revision, "LoggingMessageNotification", message) for revision, _ in asked)
        least = min(LEVELS.index(level) for _, level in asked)
        if not found and LEVELS.index(message["params"]["level"]) < least:
            found.append(f"a message of the log below {LEVELS[least]}")
        return found
