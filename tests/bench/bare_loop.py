"""The least that a server over pipes can be: each line is read as JSON, answered in JSON, and flushed.

``table.py`` measures against it. ``python bare_loop.py CANNED``, a file with a JSON object of results by method;
``initialize`` and ``ping`` get ``{}``. ``tools/call`` checks its arguments against the tool's schema first, with a
validator that is kept. Binary streams, one thread, no error; what a method needs is loaded when it is first asked.
"""

import json
import sys

RESULTS = {}
VALIDATORS = {}


def result_of(message):
    """The canned result of a request."""
    if message["method"] in ("initialize", "ping"):
        return {}
    if not RESULTS:
        with open(sys.argv[1], "rb") as canned:  # noqa: PTH123 - pathlib would be one more module to load
            RESULTS.update(json.load(canned))
    if message["method"] == "tools/call":
        check(message["params"])
    return RESULTS[message["method"]]


def check(params):
    """Raise ``ValidationError`` for arguments that the tool does not take."""
    if not VALIDATORS:
        from jsonschema import Draft202012Validator

        for tool in RESULTS["tools/list"]["tools"]:
            VALIDATORS[tool["name"]] = Draft202012Validator(tool["inputSchema"])
    VALIDATORS[params["name"]].validate(params["arguments"])


def main():
    """Answer until the end of input."""
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": result_of(message)}
            out.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
            out.flush()


main()
