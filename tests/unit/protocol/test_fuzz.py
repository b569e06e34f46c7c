"""Whatever comes in, what goes out are messages of the protocol; and the server goes on."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kie_mcp.errors import InputError, NoResourceError
from kie_mcp.protocol.revisions import NAMES, REVISIONS
from kie_mcp.tools.spec import ToolResult
from kie_mcp.wire.lines import LineSplitter

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
LEVEL = "io.modelcontextprotocol/logLevel"
LONGEST_LINE = 300
fuzzed = settings(
    max_examples=300,
    derandomize=True,  # the same examples each time, so that a failure is one for everybody
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is none of ours
)

# bytes

PIECES = [
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
    b'{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"list_models"}}\r\n',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n',
    b'{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}\n',
    b'[{"jsonrpc":"2.0","id":3,"method":"ping"},{"jsonrpc":"2.0","method":"x"},5]\n',
    b'{"jsonrpc":"2.0","id":',
    b'"method":"',
    b'"params":{"_meta":{',
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"\\ud800"',
    b"\x00",
    b"1e999",
    b"NaN",
    b"-",
    b"9" * 60,
    b"[" * 150,
    b"{",
    b"}",
    b"]",
    b",",
    b'"',
    b"\\",
    b"x" * LONGEST_LINE,
]
streams = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join)


@fuzzed
@given(stream=streams, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_any_bytes_in_any_pieces_are_answered_by_messages_alone(make_harness, stream, sizes):
    harness = make_harness()
    splitter = LineSplitter(LONGEST_LINE)
    data = stream + b'\n{"jsonrpc":"2.0","id":"last","method":"ping"}\n'
    while data:
        size = sizes[len(data) % len(sizes)]
        piece, data = data[:size], data[size:]
        for line in splitter.feed(piece):
            answers = harness.reject("too long.") if line is None else harness.line(line)
    assert splitter.end() == []
    assert answers == [{"jsonrpc": "2.0", "id": "last", "result": {}}]
    assert_all_is_well(harness)


def assert_all_is_well(harness):
    """Everything was answered, rightly, and nothing went wrong inside."""
    harness.run()
    harness.conversation.check()
    assert harness.conversation.owed == []
    assert harness.server.in_flight() == 0
    assert harness.server.wait_idle(0)
    assert harness.internal_errors == []


# messages

texts = st.text(st.characters(exclude_categories=[]), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
ids = st.sampled_from([0, 1, "", "1", "a", -1, 2**63, 10**40]) | texts | st.integers()
odd_ids = st.sampled_from([None, True, False, 1.0, 1.5, [], {}]) | values
methods = st.sampled_from(sorted({method for revision in REVISIONS for method in revision.methods}))
odd_methods = (
    st.sampled_from(["", "nope", "ping ", "Ping", "resources/subscribe", "notifications/initialized"]) | values
)


def objects(required, optional=None):
    return st.fixed_dictionaries(required, optional=optional or {})


def mostly(likely, unlikely):
    """One of ``unlikely`` now and then."""
    return st.integers(0, 9).flatmap(lambda number: unlikely if number == 0 else likely)


envelopes = objects(
    {VERSION: mostly(st.just("2026-07-28"), st.sampled_from(["1900-01-01", "2025-11-25", ""]) | values)},
    {
        CAPABILITIES: mostly(st.just({}), values),
        LEVEL: mostly(st.sampled_from(["debug", "error"]), values),
        "io.modelcontextprotocol/clientInfo": mostly(st.just({"name": "fuzz", "version": "1"}), values),
    },
)
tokens = objects({}, {"progressToken": mostly(ids, odd_ids)})
metas = mostly(tokens | st.tuples(envelopes, tokens).map(lambda pair: pair[0] | pair[1]), values)
params = mostly(
    objects(
        {},
        {
            "_meta": metas,
            "name": mostly(st.sampled_from(["generate_visual", "list_models"]), values),
            "arguments": mostly(st.dictionaries(texts, values, max_size=2), values),
            "protocolVersion": mostly(st.sampled_from(NAMES), values),
            "clientInfo": values,
            "cursor": values,
            "level": mostly(st.sampled_from(["debug", "warning"]), values),
            "uri": values,
        },
    ),
    values,
)
version = mostly(st.just("2.0"), st.sampled_from(["1.0", 2.0, None]) | values)
requests = objects(
    {"jsonrpc": version, "id": mostly(ids, odd_ids), "method": mostly(methods, odd_methods)}, {"params": params}
)
calls = objects(
    {"jsonrpc": st.just("2.0"), "id": ids, "method": st.just("tools/call")},
    {"params": objects({"name": st.just("list_models")}, {"_meta": metas})},
)
cancellations = objects(
    {"jsonrpc": version, "method": st.just("notifications/cancelled")},
    {"params": mostly(objects({"requestId": mostly(ids, odd_ids)}), values)},
)
notifications = objects({"jsonrpc": version, "method": odd_methods}, {"params": params})
responses = objects(
    {"jsonrpc": version}, {"id": mostly(ids, odd_ids), "result": values, "error": values, "method": values}
)
singles = requests | calls | cancellations | notifications | responses | values
arrays = st.lists(singles, max_size=5)
batches_begin = st.just(
    {"jsonrpc": "2.0", "id": "b", "method": "initialize", "params": {"protocolVersion": "2025-03-26"}}
)
RUN = "run"
"""A step in which the calls that are under way come to their end."""


def told_apart(steps):
    """Without messages of arrays whose id another has there: nobody could tell whose answer is whose."""
    seen = set()

    def is_new(message):
        name = json.dumps(message.get("id")) if isinstance(message, dict) else None
        before = name in seen
        seen.add(name)
        return name is None or not before

    return [[*filter(is_new, step)] if isinstance(step, list) else step for step in steps]


steps = st.lists(singles | arrays | batches_begin | st.just(RUN), max_size=8).map(told_apart)


class Rooms:
    """What is behind the server: does all that a call may do, by what it is asked."""

    def __init__(self, harness):
        self._harness = harness
        self._feature = harness.feature

    def tool(self, arguments, context):
        context.progress(1, 2, "half")
        self._harness.listeners.say("warning", "A poll failed.")
        context.progress(2, 2, "done")
        if len(arguments) > 1:
            raise InputError("Unknown arguments.")
        return ToolResult({"ok": True, "arguments": arguments})

    def feature(self, method, params, context):
        if "uri" in params:
            raise NoResourceError(str(params["uri"]))
        if "cursor" in params:
            raise InputError("params.cursor is unknown.")
        return self._feature(method, params, context)


@fuzzed
@given(steps=steps)
def test_any_messages_are_answered_as_the_revision_says(make_harness, steps):
    harness = make_harness()
    rooms = Rooms(harness)
    harness.tool, harness.feature = rooms.tool, rooms.feature
    for step in steps:
        if step is RUN:
            harness.run()
        else:
            harness.say(step)
    assert_all_is_well(harness)
    assert harness.ask("ping", request_id="last")["result"] == {}
    harness.conversation.check()


def test_what_is_generated_is_not_all_refused(make_harness):
    answers = []

    @settings(fuzzed, max_examples=100)
    @given(call=calls, revision=st.sampled_from(NAMES))
    def count(call, revision):
        harness = make_harness()
        harness.initialize(revision)
        harness.say(call)
        answers.extend(harness.run()[-1:])

    count()
    assert sum("result" in answer for answer in answers) > 30
