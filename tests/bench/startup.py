"""Time from process start to the reply of ``initialize``, against a bare Python line loop.

Run by hand: ``python tests/bench/startup.py [ROUNDS]``. The programs run in turns, so that a busy machine
slows all of them alike. Bytecode is cached first, as it is for an installed program.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE_LOOP = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {}}) + "\\n")
    sys.stdout.flush()
"""
INITIALIZE = (
    b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    b'"capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}\n'
)
TARGET_RATIO = 1.6
LIMIT_RATIO = 2.0


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE_LOOP)
        commands = {
            "bare line loop": [sys.executable, str(Path(folder) / "bare.py")],
            "python -m kie_mcp": [sys.executable, "-m", "kie_mcp"],
        }
        script = Path(sys.executable).with_name("kie-mcp")
        if script.exists():
            commands["kie-mcp"] = [str(script)]
        _print_table(_measured(commands, rounds, _environment(folder)))


def _environment(folder: str) -> dict[str, str]:
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return environment


def _measured(commands: dict[str, list[str]], rounds: int, environment: dict[str, str]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            seconds = _seconds_to_reply(command, environment)
            if turn > 0:  # the first turn fills the caches
                times[name].append(seconds)
    return times


def _seconds_to_reply(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(INITIALIZE)
        process.stdin.flush()
        process.stdout.readline()
        seconds = time.perf_counter() - start
        process.stdin.close()
    return seconds


def _print_table(times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = next(iter(medians.values()))
    lines = [f"{'':20} {'median ms':>10} {'best ms':>10} {'ratio':>7}"]
    for name, median in medians.items():
        best = min(times[name])
        lines.append(f"{name:20} {median * 1000:10.1f} {best * 1000:10.1f} {median / base:7.2f}")
    lines.append(f"target {TARGET_RATIO}, limit {LIMIT_RATIO}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
