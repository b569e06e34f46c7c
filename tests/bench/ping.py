"""How soon ``ping`` is answered while ten pictures are being made.

Run by hand: ``python tests/bench/ping.py``. The promise is 50 ms while the calls wait. The first line of the table is
taken while the first calls still load what they need.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CALLS = 10
PINGS = 200


class Server:
    """A server process; answers and progress that come between pings are counted and passed over."""

    def __init__(self, folder: str) -> None:
        environment = {**os.environ, "KIE_AI_STATE_DIR": folder, "KIE_AI_OUTPUT_DIR": folder}
        command = [sys.executable, "-m", "kie_mcp", "--sandbox"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.submitted = 0
        self._number = 0

    def send(self, method: str, params: dict[str, object]) -> int:
        """Write one request; returns its id."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return self._number

    def receive(self) -> object:
        """The id of the next answer; ``None`` for progress."""
        message = json.loads(self.process.stdout.readline())
        self.submitted += "submitted as task" in message.get("params", {}).get("message", "")
        return message.get("id")

    def ping(self) -> float:
        """Seconds from one ping to its answer."""
        started = time.perf_counter()
        number = self.send("ping", {})
        while self.receive() != number:
            pass
        return time.perf_counter() - started

    def end(self) -> None:
        """Let the pictures be finished, and leave."""
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


def row(what: str, seconds: list[float]) -> str:
    """A line of the table."""
    times = sorted(1000 * second for second in seconds)
    return f"{what:32}{statistics.median(times):10.2f}{times[int(0.99 * len(times)) - 1]:10.2f}{times[-1]:10.2f}"


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        server.ping()  # the start is measured elsewhere
        for number in range(CALLS):
            arguments = {"prompt": f"fox {number}"}
            call = {"name": "generate_visual", "arguments": arguments, "_meta": {"progressToken": number}}
            server.send("tools/call", call)
        coming_in = [server.ping()]
        while server.submitted < CALLS:
            coming_in.append(server.ping())
        waiting = [server.ping() for _ in range(PINGS)]
        server.end()
    print(f"{'milliseconds':32}{'median':>10}{'99 %':>10}{'longest':>10}")
    print(row(f"while {CALLS} calls come in", coming_in))
    print(row(f"while {CALLS} pictures are made", waiting))


if __name__ == "__main__":
    main()
