"""What a message of the server may look like in each revision: the official definitions, and what they leave out.

The official schemas (tests/official) allow any further member everywhere. Here an object has those that its definition
names and ``_meta``, so that nothing of one revision is said in another: titles, annotations, ``structuredContent``,
``resultType``.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for

FOLDER = Path(__file__).with_name("official")
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LATEST = HANDSHAKE[-1]
"""What ``initialize`` with an unknown revision settles on; the first one whose errors may go without an id."""
STATELESS = "2026-07-28"
REVISIONS = (*HANDSHAKE, STATELESS)
BATCHES = "2025-03-26"
STRUCTURED = ("2025-06-18", "2025-11-25", STATELESS)

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""Of the log, from the least to the gravest."""

RESULTS = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "logging/setLevel": "EmptyResult",
    "server/discover": "DiscoverResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
}
_OF_THE_HANDSHAKE = ("initialize", "ping", "logging/setLevel")
_STATELESS_ALONE = ("server/discover",)

_CODES = (-32700, -32600, -32601, -32602, -32603)
_NO_RESOURCE = -32002
_UNSUPPORTED = -32022
_STATELESS_ERRORS = {
    -32700: "ParseError",
    -32600: "InvalidRequestError",
    -32601: "MethodNotFoundError",
    -32602: "InvalidParamsError",
    -32603: "InternalError",
}

MOST_IMAGE_BYTES = 100_000
MOST_COMPLETIONS = 100
_SIGNATURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_OPEN = ("_meta", "inputSchema", "outputSchema", "allOf")


def result_problems(revision, method, result):
    """What is wrong with the result of a method."""
    has = method not in (_OF_THE_HANDSHAKE if revision == STATELESS else _STATELESS_ALONE)
    if method not in RESULTS or not has:
        return [f"a result of {method!r}, which {revision} does not have"]
    found = problems(revision, RESULTS[method], result)
    if found:
        return found
    if RESULTS[method] == "EmptyResult" and result:
        found.append("members in an empty result")
    if revision == STATELESS:
        found += _stateless_problems(result)
    if method == "completion/complete" and len(result["completion"]["values"]) > MOST_COMPLETIONS:
        found.append("too many completions")
    return found


def call_problems(revision, result, output):
    """What is wrong with a result of ``tools/call`` besides its form; ``output``: the ``outputSchema`` of the tool."""
    blocks = result["content"]
    found = [problem for block in blocks if block["type"] == "image" for problem in _image_problems(block)]
    if not blocks or blocks[0]["type"] != "text":
        return [*found, "a result that does not begin with a text"]
    told = _json(blocks[0]["text"])
    if revision in STRUCTURED and told != result.get("structuredContent"):
        found.append("a text that is not the JSON of structuredContent")
    if output is not None:
        found += _problems(_output_validator(json.dumps(output)), told, "the tool's outputSchema")
    return found


def error_problems(revision, message):
    """What is wrong with an error."""
    found = problems(revision, "JSONRPCErrorResponse" if revision >= LATEST else "JSONRPCError", message)
    if found:
        return found
    code = message["error"]["code"]
    if code not in (*_CODES, _UNSUPPORTED if revision == STATELESS else _NO_RESOURCE):
        return [f"the code {code}, which {revision} does not have"]
    if code == _UNSUPPORTED:
        return problems(revision, "UnsupportedProtocolVersionError", message)
    if revision == STATELESS:
        return problems(revision, _STATELESS_ERRORS[code], message["error"])
    return []


def problems(revision, definition, value):
    """In what a value is not what the definition says, the most telling first."""
    return _problems(_validator(revision, definition), value, f"{definition} of {revision}")


def _problems(validator, value, what):
    error = best_match(validator.iter_errors(value))
    return [f"{error.json_path} against {what}: {error.message[:300]}"] if error else []


def _stateless_problems(result):
    if result["resultType"] != "complete":
        return [f"resultType {result['resultType']!r}"]
    if "io.modelcontextprotocol/serverInfo" not in result.get("_meta", {}):
        return ["a result that does not say whose it is"]
    return []


def _image_problems(block):
    data = base64.b64decode(block["data"])
    if len(data) > MOST_IMAGE_BYTES:
        return [f"an inline image of {len(data)} bytes"]
    if not data.startswith(_SIGNATURES.get(block["mimeType"], b"?")):
        return [f"an inline image that is no {block['mimeType']}"]
    return []


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


@cache
def _validator(revision, definition):
    document = _document(revision)
    place = "$defs" if "$defs" in document else "definitions"
    assert definition in document[place], (revision, definition)
    return validator_for(document)({**document, "$ref": f"#/{place}/{definition}"}, format_checker=_FORMATS)


@cache
def _output_validator(schema):
    return Draft202012Validator(json.loads(schema))


@cache
def _document(revision):
    return _closed(json.loads((FOLDER / f"{revision}.json").read_text("utf-8")))


def _closed(node, name=""):
    """The schema without members that it does not name; where the schema itself says which further ones, those."""
    if name in _OPEN or name.endswith("MetaObject"):
        return node
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value, key) for key, value in node.items()}
    if "properties" in node and "additionalProperties" not in node:
        closed["additionalProperties"] = False
        closed["properties"].setdefault("_meta", {"type": "object"})
        if "method" in node["properties"]:  # not told of notifications up to 2025-06-18
            closed["properties"].setdefault("jsonrpc", {"const": "2.0"})
    return closed


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("byte")
def _is_base64(text):
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


@_FORMATS.checks("uri")
@_FORMATS.checks("uri-template")
def _is_uri(text):
    return text.isascii() and text.isprintable() and " " not in text and bool(urlsplit(text).scheme)
