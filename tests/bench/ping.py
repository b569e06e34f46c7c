"""How soon ``ping`` is answered while ten pictures are being made.

Run by hand: ``python tests/bench/ping.py``. The promise is 50 ms.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

GENERATIONS = 10
PINGS = 200


def main() -> None:
    """Measure, and print a line."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "KIE_AI_STATE_DIR": folder, "KIE_AI_OUTPUT_DIR": folder}
        server = subprocess.Popen(
            [sys.executable, "-m", "kie_mcp", "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        for number in range(GENERATIONS):
            send(server, number, "tools/call", {"name": "generate_visual", "arguments": {"prompt": f"fox {number}"}})
        times = [ping(server, 1000 + number) for number in range(PINGS)]
        server.stdin.close()
        server.stdout.read()
        server.wait()
    milliseconds = sorted(1000 * seconds for seconds in times)
    print(
        f"{PINGS} pings while {GENERATIONS} pictures are made: median {statistics.median(milliseconds):.2f} ms, "
        f"99th percentile {milliseconds[int(0.99 * PINGS) - 1]:.2f} ms, longest {milliseconds[-1]:.2f} ms"
    )


def send(server: subprocess.Popen[bytes], number: int, method: str, params: dict[str, object]) -> None:
    """Write one request."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    server.stdin.write(json.dumps(message).encode() + b"\n")
    server.stdin.flush()


def ping(server: subprocess.Popen[bytes], number: int) -> float:
    """Seconds from one ping to its answer; answers to calls that come in between are passed over."""
    started = time.perf_counter()
    send(server, number, "ping", {})
    while json.loads(server.stdout.readline())["id"] != number:
        pass
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
