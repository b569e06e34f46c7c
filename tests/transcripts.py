"""Conversations in which everything that a revision has is used, with the server process before a stand-in of Kie.

``python tests/transcripts.py 2025-11-25`` prints one: ``->`` is what the client sends, ``<-`` what the server answers.
Long lines are cut; ``--whole`` prints them as they are.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

from kie_mcp.config import Rate
from kie_mcp.protocol.logs import LEVELS
from kie_mcp.protocol.revisions import HANDSHAKE, NAMES, STATELESS
from kie_mcp.sandbox import Sandbox, SandboxOptions
from processes import KEY, ServerProcess, environment_for

CLIENT = {"name": "transcript", "version": "1"}
VERSION = "io.modelcontextprotocol/protocolVersion"
ENVELOPE = {
    VERSION: "2026-07-28",
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
LEVEL = "io.modelcontextprotocol/logLevel"
PROMPTS = {
    "picture_set": {"subjects": "spring; autumn", "style": "watercolour"},
    "platform_picture": {"subject": "a fox", "platform": "linkedin"},
    "picture_variations": {"picture": "task:1", "change": "the season"},
    "finish_my_pictures": {},
}
MOST_SHOWN = 600
PICTURES = 60
"""More than are listed on one page."""


class Transcript(ServerProcess):
    """A server to which everything of a revision is said; ``show`` is called with each line."""

    def __init__(self, environment, folder, revision, show):
        super().__init__(environment, folder)
        self.revision = (HANDSHAKE | STATELESS)[revision]
        self.answered = set()
        self._show = show
        self._numbers = itertools.count()
        self.heard = []

    def write(self, lines):
        for line in lines.decode("utf-8", "replace").splitlines():
            self._show(f"-> {line}")
        super().write(lines)

    def receive(self):
        message = super().receive()
        self._show(f"<- {json.dumps(message, ensure_ascii=False)}")
        return message

    def ask(self, method, params=None, **meta):
        """Make a request; ``heard`` has what came before its answer."""
        number = next(self._numbers)
        meta = {**(ENVELOPE if self.revision.stateless else {}), **meta}
        self.send(method, number, **({"_meta": meta} if meta else {}), **(params or {}))
        self.heard = []
        while (message := self.receive()).get("id") != number:
            self.heard.append(message)
        return message

    def result(self, method, params=None, **meta):
        answer = self.ask(method, params, **meta)
        self.answered.add(method)
        return answer["result"]

    def code(self, method, params=None, **meta):
        """The code of the error that a request is answered with."""
        return self.ask(method, params, **meta)["error"]["code"]

    def tool(self, name, arguments=None, **meta):
        """What a tool tells in its text, and whether that is an error."""
        result = self.result("tools/call", {"name": name, "arguments": arguments or {}}, **meta)
        return json.loads(result["content"][0]["text"]), result["isError"]

    def done(self, name, arguments=None, **meta):
        told, is_error = self.tool(name, arguments, **meta)
        assert not is_error, told
        return told


def play(server, sandbox, folder):
    """Use everything; each part fails where the server does not do as it should."""
    begin(server)
    tools(server)
    made = pictures(server)
    cancel(server, sandbox)
    multiply(made["output_path"], folder)
    resources(server, made)
    prompts(server)
    completion(server)
    log(server)
    arrays(server)
    refusals(server)
    assert server.answered == set(server.revision.methods)
    assert server.end() == ([], 0)


def begin(server):
    if server.revision.stateless:
        found = server.result("server/discover")
        assert found["supportedVersions"] == list(NAMES)
        assert server.code("ping") == server.code("logging/setLevel", {"level": "info"}) == -32601
    else:
        asked = {"protocolVersion": server.revision.name, "capabilities": {}, "clientInfo": CLIENT}
        found = server.result("initialize", asked)
        assert found["protocolVersion"] == server.revision.name
        server.send("notifications/initialized")
        assert server.result("ping") == {}
        assert server.code("server/discover") == -32601
    completions = {"completions"} if server.revision.completions else set()
    assert set(found["capabilities"]) == {"logging", "prompts", "resources", "tools"} | completions
    assert len(found["instructions"]) < 2048


def tools(server):
    """Each tool: its success is asked for with a token, and an argument that it does not have is an error of it."""
    names = [tool["name"] for tool in server.result("tools/list")["tools"]]
    assert len(names) == 8
    assert server.code("tools/list", {"cursor": "x"}) == -32602
    for name in names:
        told, is_error = server.tool(name, {"nope": 1}, progressToken=name)
        assert is_error
        assert told["error"]["category"] == "input"
    for arguments in ({"name": "nope"}, {}, {"name": 5}, {"name": names[0], "arguments": []}):
        assert server.code("tools/call", arguments) == -32602
    assert server.done("describe_imager_interface", progressToken=0)["environment"]["api_key"] == "set"
    assert server.done("list_models", {"query": "banana"}, progressToken="")["models"]
    assert server.done("get_credits", progressToken="c")["credits"] > 0


def pictures(server):
    """Make pictures in each way; the answer with the last one."""
    task = server.done("create_visual_task", {"prompt": "a fox"}, progressToken="create")["task_id"]
    fetched = server.done("get_visual_task", {"task_id": task, "wait_seconds": 60}, progressToken="get")
    assert Path(fetched["output_path"]).is_file()
    items = [{"prompt": "spring"}, {"prompt": "autumn"}, {"prompt": "winter", "aspect_ratio": "7:3"}]
    batch = server.done("generate_visual_batch", {"items": items}, progressToken="batch")
    assert (batch["succeeded"], batch["failed"]) == (2, 1)
    assert progress(server)
    made = server.done("generate_visual", {"prompt": "a fox in the snow"}, progressToken=7)
    assert progress(server)
    listed = server.done("list_visual_tasks", {"limit": 10}, progressToken="list")["tasks"]
    assert {task, made["task_id"]} < {entry["task_id"] for entry in listed}
    return made


def progress(server):
    return [message for message in server.heard if message["method"] == "notifications/progress"]


def cancel(server, sandbox):
    """Cancel a call; it is never answered, and its task is still there."""
    sandbox.faults.add("poll", "stuck", times=0)
    meta = {**(ENVELOPE if server.revision.stateless else {}), "progressToken": "cancel"}
    server.send("tools/call", "cancelled", name="generate_visual", arguments={"prompt": "a bear"}, _meta=meta)
    newest = {"prompt": "", "task_id": None}
    while newest["prompt"] != "a bear" or newest["task_id"] is None:
        newest = server.done("list_visual_tasks")["tasks"][0]
    server.send("notifications/cancelled", requestId="cancelled", reason="the user has had enough")
    sandbox.faults.clear()
    found = server.done("get_visual_task", {"task_id": newest["task_id"], "wait_seconds": 60})
    assert found["status"] == "success"


def multiply(path, folder):
    """Let the ledger have many pictures, each a copy of one."""
    (ledger,) = (folder / "state").glob("ledger*.sqlite3")
    with contextlib.closing(sqlite3.connect(ledger)) as connection, connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM tasks WHERE instr(files, ?)", (json.dumps(path),)).fetchone())
        del row["number"]
        (file,) = json.loads(row["files"])
        for number in range(PICTURES):
            copy = shutil.copy(path, Path(path).with_name(f"copy-{number}.png"))
            more = {"task_id": f"copy-{number}", "files": json.dumps([{**file, "path": str(copy)}])}
            values = row | more
            places = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO tasks ({', '.join(values)}) VALUES ({places})", list(values.values()))


def resources(server, made):
    listed, cursors, page = [], set(), {}
    while not listed or "nextCursor" in page:
        page = server.result("resources/list", {"cursor": page["nextCursor"]} if page else {})
        listed += [resource["uri"] for resource in page["resources"]]
        cursors.add(page.get("nextCursor"))
    assert len(set(listed)) == len(listed) >= PICTURES + 4
    assert len(cursors) >= 2
    assert server.code("resources/list", {"cursor": "x"}) == -32602
    templates = server.result("resources/templates/list")["resourceTemplates"]
    assert [each["uriTemplate"] for each in templates] == ["kie-mcp://models/{model}", "kie-mcp://tasks/{task_id}"]
    assert server.code("resources/templates/list", {"cursor": "x"}) == -32602
    picture = Path(made["output_path"])
    assert base64.b64decode(read(server, picture.as_uri())["blob"]) == picture.read_bytes()
    assert read(server, listed[0])["text"].startswith("# ")
    assert json.loads(read(server, "kie-mcp://models/nano-banana-pro")["text"])["id"] == "nano-banana-pro"
    assert json.loads(read(server, f"kie-mcp://tasks/{made['task_id']}")["text"])["output_paths"] == [str(picture)]
    for uri in ("file:///etc/passwd", "kie-mcp://models/nope", "kie-mcp://nope", "https://example.com/", "nope", ""):
        error = server.ask("resources/read", {"uri": uri})["error"]
        assert error["code"] == server.revision.no_resource
        assert error["data"] == {"uri": uri}
    assert server.code("resources/read") == server.code("resources/read", {"uri": 5}) == -32602
    assert server.code("resources/subscribe", {"uri": listed[0]}) == -32601


def read(server, uri):
    (content,) = server.result("resources/read", {"uri": uri})["contents"]
    assert content["uri"] == uri
    return content


def prompts(server):
    listed = [prompt["name"] for prompt in server.result("prompts/list")["prompts"]]
    assert set(listed) == set(PROMPTS)
    for name, arguments in PROMPTS.items():
        (message,) = server.result("prompts/get", {"name": name, "arguments": arguments})["messages"]
        assert all(value in message["content"]["text"] for value in arguments.values())
    for params in (
        {"name": "nope"},
        {},
        {"name": "picture_set"},
        {"name": "picture_set", "arguments": {"subjects": 5}},
    ):
        assert server.code("prompts/get", params) == -32602
    assert server.code("prompts/list", {"cursor": "x"}) == -32602


def completion(server):
    prompt = {"type": "ref/prompt", "name": "platform_picture"}
    template = {"type": "ref/resource", "uri": "kie-mcp://models/{model}"}
    assert "linkedin" in completed(server, prompt, "platform", "lin")
    assert "nano-banana-pro" in completed(server, template, "model", "NANO")
    context = {"context": {"arguments": {"model": "nano-banana-pro"}}}
    assert "16:9" in completed(server, {"type": "ref/prompt", "name": "picture_set"}, "aspect_ratio", "", **context)
    assert completed(server, prompt, "subject", "x") == []
    for ref in ({"type": "ref/prompt", "name": "nope"}, {"type": "ref/resource", "uri": "nope"}, {"type": "nope"}, 5):
        assert server.code("completion/complete", {"ref": ref, "argument": {"name": "a", "value": ""}}) == -32602


def completed(server, ref, name, value, **more):
    params = {"ref": ref, "argument": {"name": name, "value": value}, **more}
    return server.result("completion/complete", params)["completion"]["values"]


def log(server):
    """What is logged is told where it is asked for: for one request, or after a handshake for all."""
    arguments = {"prompt": "a fox"}
    server.done("generate_visual", arguments)
    assert server.heard == []
    if server.revision.stateless:
        server.done("generate_visual", arguments, **{LEVEL: "debug"})
        assert server.heard
        assert server.code("tools/call", {"name": "list_models"}, **{LEVEL: "loud"}) == -32602
    else:
        for level in (*LEVELS, "debug"):
            assert server.result("logging/setLevel", {"level": level}) == {}
        server.done("generate_visual", arguments)
        assert server.heard
        assert server.code("logging/setLevel", {"level": "loud"}) == -32602
        server.result("logging/setLevel", {"level": "emergency"})
    assert {message["method"] for message in server.heard} <= {"notifications/message"}
    server.done("generate_visual", arguments)
    assert server.heard == []


def arrays(server):
    """Several messages in one line, which one revision has."""
    call = {"name": "describe_imager_interface"}
    asked = [("ping", {}), ("tools/list", {}), ("tools/call", call), ("prompts/list", {}), ("nope", {})]
    batch = [{"jsonrpc": "2.0", "id": name, "method": name, "params": params} for name, params in asked]
    server.write(json.dumps([*batch, {"jsonrpc": "2.0", "method": "notifications/nope"}]).encode() + b"\n")
    answer = server.receive()
    if server.revision.batches:
        assert {each["id"] for each in answer} == {name for name, _ in asked}
        assert [each["id"] for each in answer if "error" in each] == ["nope"]
    else:
        assert answer["error"]["code"] == -32600


def refusals(server):
    """What is answered with an error of the protocol in every revision; the server goes on."""
    for method in ("nope", "", "subscriptions/listen", "sampling/createMessage", "tasks/get", "notifications/nope"):
        assert server.code(method) == -32601
    initialize = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    assert server.code("initialize", initialize, **ENVELOPE) == -32601
    error = server.ask("tools/list", **{**ENVELOPE, VERSION: "1900-01-01"})["error"]
    assert error["code"] == -32022
    assert error["data"] == {"supported": list(NAMES), "requested": "1900-01-01"}
    server.send("tools/list", "bare", _meta={VERSION: "2026-07-28"})
    assert server.receive()["error"]["code"] == -32602
    for line, code in ((b"{", -32700), (b"\xff", -32700), (b"5", -32600), (b"[]", -32600), (b'{"id":1}', -32600)):
        server.write(line + b"\n")
        assert server.receive()["error"]["code"] == code
    assert server.result("tools/list")["tools"]


@contextlib.contextmanager
def stand_in():
    """A stand-in of Kie that is quick."""
    with Sandbox(SandboxOptions(task_seconds=0.05, rate=Rate(1000, 1), api_key=KEY)) as sandbox:
        yield sandbox


def transcript(revision, folder, show):
    """Play it in a folder of its own."""
    with stand_in() as sandbox:
        environment = environment_for(sandbox, folder, KIE_AI_OUTPUT_DIR=str(folder / "out"))
        with Transcript(environment, folder, revision, show) as server:
            play(server, sandbox, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", choices=NAMES)
    parser.add_argument("--whole", action="store_true", help="do not cut long lines")
    options = parser.parse_args()

    def show(line):
        print(line if options.whole or len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]} … ({len(line)} characters)")

    with tempfile.TemporaryDirectory() as folder:
        transcript(options.revision, Path(folder), show)


if __name__ == "__main__":
    main()
