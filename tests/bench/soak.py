"""Many calls to one server process: whether it keeps its memory, threads and descriptors, and answers everything.

``python tests/bench/soak.py [--calls 20000] [--seed 0]`` plays a mix of every kind of request, in both eras, against a
server before a sandbox in this process, several in flight at a time, and prints a table. It fails where memory at the
end is more than 5 % above that after 2,000 calls, where threads or descriptors have become more since then, where an
answer is missing or of another kind than it should be, or where the server does not end by itself. Linux is needed
(``/proc``).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from pathlib import Path

from kie_mcp.config import Rate
from kie_mcp.sandbox import Sandbox, SandboxOptions

IN_FLIGHT = 12
BURSTS = 8
"""Before the first sample."""
EVERY = 1_000
SETTLED = 2_000
GROWTH = 1.05
MOST_CONNECTIONS = 4 * IN_FLIGHT
"""To Kie; they are kept for the next request, as many as were ever needed at once."""
SETTLE_SECONDS = 2.0
"""Before a sample: what goes on in the background, such as the saving of what was cancelled, comes to its end."""
STUCK_SECONDS = 120.0
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "soak", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
GREETING = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
"""The revision that has batches."""

DONE, TOOL_ERROR, ERROR, CANCELLED = "result", "tool error", "protocol error", "cancelled"


class Mix:
    """Makes requests: ``(method, params, outcome)``, by weight, at random but repeatable."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tasks = deque(["0" * 32], maxlen=200)
        self.pictures = deque(["kie-mcp://guide"], maxlen=200)
        self._kinds = {
            self.picture: 8,
            self.several: 1,
            self.task: 5,
            self.told: 50,
            self.wrong: 12,
            self.resource: 12,
            self.prompt: 8,
        }

    def request(self):
        """One request."""
        (kind,) = self.random.choices(list(self._kinds), list(self._kinds.values()))
        method, params, outcome = kind()
        if method != "ping" and self.random.random() < 0.5:
            params = {**params, "_meta": {**params.get("_meta", {}), **META}}
        return method, params, outcome

    def call(self, tool, outcome=DONE, **arguments):
        """A call of a tool."""
        return "tools/call", {"name": tool, "arguments": arguments}, outcome

    def picture(self):
        """A picture; some want progress, of which some are cancelled as soon as they tell of their task."""
        fate = self.random.choice([DONE, DONE, DONE, CANCELLED])
        method, params, _ = self.call("generate_visual", prompt=f"a fox {self.random.random()}")
        if fate == CANCELLED or self.random.random() < 0.5:
            params["_meta"] = {"progressToken": f"t{self.random.random()}"}
        return method, params, fate

    def several(self):
        """A batch of a few pictures."""
        items = [{"prompt": f"a fox {self.random.random()}"} for _ in range(3)]
        return self.call("generate_visual_batch", items=items)

    def task(self):
        """A task of before."""
        known = self.random.choice(self.tasks)
        return self.call("get_visual_task", TOOL_ERROR if set(known) == {"0"} else DONE, task_id=known)

    def told(self):
        """What is only looked up."""
        return self.random.choice(
            [
                ("ping", {}, DONE),
                ("tools/list", {}, DONE),
                self.call("describe_imager_interface"),
                self.call("list_models"),
                self.call("list_models", query=self.random.choice(["qwen2", "nano-banana-pro", "upscale", "nothing"])),
                self.call("list_visual_tasks", limit=self.random.randrange(1, 50)),
                self.call("get_credits"),
            ]
        )

    def wrong(self):
        """What cannot be done."""
        return self.random.choice(
            [
                self.call("nope", ERROR),
                self.call("generate_visual", TOOL_ERROR),
                self.call("generate_visual", TOOL_ERROR, prompt=5, other="x" * self.random.randrange(10_000)),
                self.call("generate_visual", TOOL_ERROR, prompt="a fox", aspect_ratio="7:3"),
                self.call("list_models", TOOL_ERROR, kind="none"),
                ("tools/call", {"name": "list_models", "arguments": []}, ERROR),
                (f"no/{self.random.random()}", {}, ERROR),
                ("resources/read", {"uri": f"file:///{self.random.random()}"}, ERROR),
                ("prompts/get", {"name": "none"}, ERROR),
            ]
        )

    def resource(self):
        """Resources."""
        return self.random.choice(
            [
                ("resources/list", {}, DONE),
                ("resources/templates/list", {}, DONE),
                ("resources/read", {"uri": self.random.choice(self.pictures)}, DONE),
                ("resources/read", {"uri": "kie-mcp://models/nano-banana-pro"}, DONE),
            ]
        )

    def prompt(self):
        """Prompts and completion."""
        given = {"subject": f"a fox {self.random.random()}", "platform": "youtube"}
        begun = {"name": "platform", "value": self.random.choice("abcdefghi")}
        reference = {"type": "ref/prompt", "name": "platform_picture"}
        return self.random.choice(
            [
                ("prompts/list", {}, DONE),
                ("prompts/get", {"name": "platform_picture", "arguments": given}, DONE),
                ("completion/complete", {"ref": reference, "argument": begun}, DONE),
            ]
        )

    def learn(self, result):
        """Take in what a call has made."""
        for block in result.get("content", ()):
            if block["type"] == "text" and block["text"].startswith('{"ok":true,"task_id":'):
                made = json.loads(block["text"])
                if made["status"] == "success":
                    self.tasks.append(made["task_id"])
                    self.pictures += [Path(path).as_uri() for path in made["output_paths"]]


class Soak:
    """The server, and what is known of every request that was sent."""

    def __init__(self, environment, folder, seed):
        self.mix = Mix(seed)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kie_mcp"],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._changed = threading.Condition()
        self._open = {}  # what is asked and how it should end, by id
        self._tokens = {}  # the calls to cancel, by their progress tokens
        self.outcomes = Counter()
        self.problems = []
        self.sent = 0
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._write([self._message("initialize", GREETING, DONE)])
        self._fill()

    def _fill(self):
        """Ask for more at once than ever later: threads, connections and heaps, which stay, become as large as ever."""
        for _ in range(BURSTS):
            for _ in range(2 * IN_FLIGHT):
                self._send(self._message(*self.mix.several()))
                self._send(self._message(*self.mix.request()))
            self._wait_for(0)

    def play(self, calls):
        """Send so many requests, some of them three to a line; returns when all are answered."""
        for _ in range(calls):
            messages = [self._message(*self.mix.request()) for _ in range(self.mix.random.choice([1] * 19 + [3]))]
            self._write(messages)
        self._wait_for(0)

    def _message(self, method, params, outcome):
        self.sent += 1
        with self._changed:
            self._open[self.sent] = (method, params, outcome)
            if outcome == CANCELLED:
                self._tokens[params["_meta"]["progressToken"]] = self.sent
        return {"jsonrpc": "2.0", "id": self.sent, "method": method, "params": params}

    def _write(self, messages):
        whole = messages if len(messages) > 1 else messages[0]
        self._send(whole)
        self._wait_for(IN_FLIGHT)

    def _send(self, message):
        with self._changed:  # the reader cancels calls
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def _wait_for(self, most):
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._open) <= most, STUCK_SECONDS):
                raise TimeoutError(f"no answer within {STUCK_SECONDS} s: {self._open}")

    def _read(self):
        for text in self.process.stdout:
            told = json.loads(text)
            for message in told if isinstance(told, list) else [told]:
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()

    def _take(self, message):
        if message.get("method") == "notifications/progress":
            self._cancel(message["params"])
            return
        asked = self._open.pop(message.get("id"), None)
        if asked is None:
            self.problems.append(f"not asked for: {message}")
            return
        _, params, expected = asked
        self._tokens.pop(params.get("_meta", {}).get("progressToken"), None)
        result = message.get("result", {})
        outcome = ERROR if "error" in message else TOOL_ERROR if result.get("isError") else DONE
        self.outcomes[outcome] += 1
        if expected not in (outcome, CANCELLED):
            self.problems.append(f"{str(asked)[:200]} -> {str(message)[:300]}")
        if outcome == DONE:
            self.mix.learn(result)

    def _cancel(self, progress):
        if "submitted as task" in progress.get("message", "") and progress["progressToken"] in self._tokens:
            number = self._tokens.pop(progress["progressToken"])
            self._open.pop(number)
            self.outcomes[CANCELLED] += 1
            cancelled = {"requestId": number}
            self._send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})

    def sample(self):
        """Memory in KiB, threads, descriptors without connections, connections."""
        threading.Event().wait(SETTLE_SECONDS)
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text("ascii").splitlines())
        links = [str(link.readlink()) for link in (folder / "fd").iterdir()]
        connections = sum(link.startswith("socket:") for link in links)
        return int(status["VmRSS"].split()[0]), int(status["Threads"]), len(links) - connections, connections

    def end(self):
        """Close the input; the exit code."""
        self.process.stdin.close()
        code = self.process.wait(60)
        self._reader.join()
        self.process.stdout.close()
        if code:
            self.problems.append(f"exit code {code}")
        return code


def judged(samples):
    """What has grown."""
    before, after = samples[min(SETTLED, max(samples))], samples[max(samples)]
    problems = []
    if after[0] > GROWTH * before[0]:
        problems.append(f"memory has grown by {after[0] / before[0] - 1:.1%}")
    for name, earlier, later in zip(("threads", "descriptors"), before[1:], after[1:3], strict=False):
        if later > earlier:
            problems.append(f"{name} have grown from {earlier} to {later}")
    if after[3] > MOST_CONNECTIONS:
        problems.append(f"{after[3]} connections are kept")
    return problems


def main():
    """Play, and print the table; 1 where something is wrong."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from processes import KEY, environment_for

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sandbox_options = SandboxOptions(task_seconds=0.1, rate=Rate(10_000, 1), credits=1e9, api_key=KEY)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Sandbox(sandbox_options) as sandbox:
        soak = Soak(environment_for(sandbox, Path(folder)), folder, options.seed)
        print(f"{'calls':>7} {'seconds':>8} {'memory KiB':>11} {'threads':>8} {'descriptors':>12} {'connections':>12}")
        samples = {}
        for calls in range(0, options.calls + 1, EVERY):
            if calls:
                soak.play(EVERY)
            samples[calls] = soak.sample()
            memory, *others = samples[calls]
            row = f"{calls:7,} {time.monotonic() - began:8.0f} {memory:11,}"
            print(row, "{:8} {:12} {:12}".format(*others), flush=True)
        soak.end()
        made = sandbox.stats()["created"]
    problems = [*soak.problems, *judged(samples)]
    print(f"{soak.sent:,} requests: {dict(soak.outcomes)}; {made:,} tasks made", *problems[:20], sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
