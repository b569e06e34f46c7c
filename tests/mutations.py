"""Lines that are almost right, and lines that are, sent to the server process in one stream.

``python tests/mutations.py --lines 10000 --seed 1`` sends so many damaged lines, with whole ones in between, and prints
what they were answered with. It fails where the server ends, says anything but rightful messages, or leaves a request
without its answer. ``--log FILE`` keeps the lines as they were sent.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import copy
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from kie_mcp.config import Rate
from kie_mcp.protocol.revisions import NAMES
from kie_mcp.sandbox import Sandbox, SandboxOptions
from processes import KEY, ServerProcess, environment_for

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
TOO_LONG = 16 * 1024 * 1024 + 1
LONG_SHARE = 1 / 500
"""Of the damaged lines, those that are too long: each takes as long as thousands of others."""

ODD_BYTES = [
    b"\x00",
    b"\r",
    b"\r\n",
    b"\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\\ud800",
    b"\\u0000",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"00",
    b"9" * 5000,
    b"[" * 200,
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b" " * 5000,
]
CALLS = [
    {"name": "describe_imager_interface"},
    {"name": "list_models", "arguments": {"query": "banana"}},
    {"name": "list_models", "arguments": {"nope": 1}},
    {"name": "get_credits", "arguments": {}},
    {"name": "list_visual_tasks", "arguments": {"limit": 1}},
    {"name": "get_visual_task", "arguments": {"task_id": "nope"}},
    {"name": "generate_visual_batch", "arguments": {"items": [{"prompt": "a fox"}], "dry_run": True}},
    {"name": "nope", "arguments": {}},
]
PICTURE = {"name": "generate_visual", "arguments": {"prompt": "a fox"}}
ASKED = [
    ("tools/list", {}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "kie-mcp://models/nano-banana-pro"}),
    ("resources/read", {"uri": "file:///etc/passwd"}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "picture_set", "arguments": {"subjects": "spring; autumn"}}),
    (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "picture_set"}, "argument": {"name": "platform", "value": "li"}},
    ),
]
SURE = [("tools/call", CALLS[0]), ("prompts/list", {}), ("tools/call", CALLS[1]), ("resources/templates/list", {})]
"""Requests that have a result in every revision."""


class Lines:
    """Whole and damaged lines, the same for the same seed."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self.calls = collections.deque(maxlen=20)
        self.sure = set()

    def whole(self):
        """Any right line; every other time one that has a result whatever came before it."""
        if self._sometimes(0.5):
            return json.dumps(self._message()).encode()
        message = self._request("ping", {}) if self._sometimes(0.5) else self._stateless(*self._random.choice(SURE))
        self.sure.add(message["id"])
        return json.dumps(message).encode()

    def damaged(self):
        """In what it says, in its bytes, or in both."""
        if self._sometimes(LONG_SHARE):
            return b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * TOO_LONG
        message = self._message()
        in_bytes = self._sometimes(0.4)
        if not in_bytes or self._sometimes(0.2):
            message = self._with_odd_values(message)
        data = json.dumps(message, ensure_ascii=self._sometimes(0.5)).encode("utf-8", "surrogatepass")
        return self._with_odd_bytes(data) if in_bytes else data

    def _sometimes(self, share):
        return self._random.random() < share

    # messages

    def _id(self):
        """One that no other request gets, even if some of its bits are turned."""
        number = self._random.getrandbits(53)
        return self._random.choice((number, f"{number:x}"))

    def _request(self, method, params):
        return {"jsonrpc": "2.0", "id": self._id(), "method": method, "params": copy.deepcopy(params)}

    def _stateless(self, method, params):
        message = self._request(method, params)
        message["params"]["_meta"] = dict(ENVELOPE)
        return message

    def _message(self):
        """Any message of a client, or an array of some."""
        kind = self._random.choice(("call", "call", "ask", "ask", "handshake", "handshake", "note", "array", "picture"))
        return getattr(self, f"_{kind}")()

    def _call(self):
        return self._called(self._random.choice(CALLS))

    def _picture(self):
        """Seldom: these take their time."""
        return self._called(PICTURE if self._sometimes(0.2) else CALLS[0])

    def _called(self, params):
        message = self._in_some_era("tools/call", params)
        meta = message["params"].setdefault("_meta", {})
        if self._sometimes(0.5):
            meta["progressToken"] = self._id()
        if len(meta) > 1 and self._sometimes(0.2):
            meta[LOG_LEVEL] = "debug"
        self.calls.append(message["id"])
        return message

    def _ask(self):
        return self._in_some_era(*self._random.choice(ASKED))

    def _in_some_era(self, method, params):
        return self._random.choice((self._request, self._stateless))(method, params)

    def _handshake(self):
        method, params = self._random.choice(
            (
                ("initialize", {"protocolVersion": self._random.choice(NAMES), "capabilities": {}}),
                ("ping", {}),
                ("logging/setLevel", {"level": self._random.choice(("debug", "warning", "emergency"))}),
            )
        )
        return self._request(method, params) if self._sometimes(0.8) else self._stateless("server/discover", {})

    def _note(self):
        params = {"requestId": self._random.choice(self.calls) if self.calls else 0, "reason": "enough"}
        return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}

    def _array(self):
        return [self._random.choice((self._call, self._ask, self._note))() for _ in range(self._random.randint(1, 4))]

    # damage

    def _with_odd_values(self, message):
        places = list(_places(message))
        for _ in range(self._random.choice((1, 1, 2))):
            (holder, name), (other, other_name) = self._random.choice(places), self._random.choice(places)
            if self._sometimes(0.3) and "id" not in (name, other_name):  # which would be an id that others may have
                holder[name], other[other_name] = other[other_name], holder[name]
            else:
                holder[name] = self._odd_value()
        try:
            json.dumps(message)
        except ValueError:  # what holds itself
            return self._odd_value()
        return message

    def _odd_value(self):
        own = self._id()
        values = (None, True, False, 1.5, -own if isinstance(own, int) else own, f"\ud800{own}", f"\x00é\u2028{own}")
        large = (10**400 + self._random.getrandbits(53), 1e308, float("nan"), float("inf"), f"{own}" * 2000)
        return self._random.choice(
            (*values, *large, [], {}, [[]], {"": {}}, _nested(self._random.choice((5, 130, 500))))
        )

    def _with_odd_bytes(self, data):
        damage = (self._turned, self._cut, self._inserted, self._repeated, self._removed, self._between)
        for _ in range(self._random.choice((1, 1, 1, 2, 5))):
            data = self._random.choice(damage)(data)
        return data

    def _place(self, data):
        return self._random.randrange(len(data) + 1)

    def _turned(self, data):
        changed = bytearray(data or b"x")
        changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def _cut(self, data):
        return data[: self._place(data)]

    def _inserted(self, data):
        place = self._place(data)
        return data[:place] + self._random.choice(ODD_BYTES) + data[place:]

    def _repeated(self, data):
        begin, end = sorted((self._place(data), self._place(data)))
        return data[:end] + data[begin:end] + data[end:]

    def _removed(self, data):
        begin = self._place(data)
        return data[:begin] + data[begin + self._random.randint(1, 5) :]

    def _between(self, data):
        return (
            self._random.choice((b" ", b"\t", b"\xef\xbb\xbf", b"\x0b"))
            + data
            + self._random.choice((b"\r", b" ", b"\x00"))
        )


def _places(value):
    """Every place in a message that holds a value, as a container and a key."""
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in list(names):
        yield value, name
        yield from _places(value[name])


def _nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


class Stream:
    """The lines to a server from one thread, its messages in another; the first one counts what they were."""

    def __init__(self, server, seed, log=None):
        self.lines = Lines(seed)
        self.heard = collections.Counter()
        self._server = server
        self._log = log

    def run(self, count):
        """Send so many damaged lines, and whole ones in between; the exit code, once all is answered."""
        writer = threading.Thread(target=self._write, args=(count,), name="writer")
        writer.start()
        missing = self.lines.sure
        for line in self._server.process.stdout:
            message = self._server.conversation.received(line)
            for each in message if isinstance(message, list) else [message]:
                self.heard[_kind(each)] += 1
                if isinstance(each, dict) and "result" in each:
                    missing.discard(each.get("id"))
        writer.join()
        self._server.conversation.check()
        assert self._server.conversation.owed == []
        assert not missing, f"whole requests without a result: {missing}"
        return self._server.process.wait()

    def _write(self, count):
        with contextlib.suppress(BrokenPipeError):  # the server has ended, which the other thread sees too
            for number in range(count):
                self._send(self.lines.damaged())
                if number % 2:
                    self._send(self.lines.whole())
            self._server.process.stdin.close()

    def _send(self, line):
        if self._log:
            self._log.write(line[:100_000] + b"\n")
        self._server.write(line + b"\n")


def _kind(message):
    if not isinstance(message, dict):
        return "no message"
    if "error" in message:
        return f"error {message['error'].get('code')}"
    return message.get("method", "result")


def mutate(folder, count, seed, log=None):
    """Send ``count`` damaged lines to a server in that folder; what it answered, by kinds."""
    errors = folder / "stderr"
    options = SandboxOptions(task_seconds=0.05, rate=Rate(1000, 1), api_key=KEY)
    with errors.open("wb") as stderr, Sandbox(options) as sandbox:
        environment = environment_for(sandbox, folder, KIE_AI_OUTPUT_ROOTS=str(folder))
        with ServerProcess(environment, folder, stderr, crossing=True) as server:
            stream = Stream(server, seed, log)
            assert stream.run(count) == 0
    assert b"Traceback" not in errors.read_bytes(), errors.read_text("utf-8", "replace")
    return stream.heard


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        log = stack.enter_context(options.log.open("wb")) if options.log else None
        heard = mutate(Path(folder), options.lines, options.seed, log)
    print(f"{options.lines} damaged lines of seed {options.seed}: {time.monotonic() - began:.1f} s")
    for kind, number in sorted(heard.items()):
        print(f"  {number:6}  {kind}")


if __name__ == "__main__":
    sys.exit(main())
