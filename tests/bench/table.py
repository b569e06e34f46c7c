"""How the server compares with the least that a server can be, and with one that is written with the Python SDK.

``python tests/bench/table.py [--rounds N]`` prints a table in Markdown. Three servers take turns, so that a busy
machine slows all of them alike, and medians are shown:

- the bare loop (``bare_loop.py``): json in, json out, with canned results of the size of ours;
- kie-mcp;
- the same tools with the official Python SDK (``sdk_server.py``), where the extra ``interop`` is installed.

All run with the same Python and cached bytecode; only the bare loop's own forty lines are compiled at each start. To
pipeline is to have one thread write all requests while another reads all answers. Memory is VmRSS: Linux is needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BARE, OURS, SDK = "bare loop", "kie-mcp", "Python SDK"
STARTS = 4
PINGS = 10_000
LISTS = 1_000
CALLS = 1_000
IDLE_SECONDS = 5.0
CALL = {"name": "list_models", "arguments": {"query": "nano-banana-pro"}}
CLIENT = {"name": "bench", "version": "1"}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}

START, START_LIST = "start to `initialize`, ms", "start to `tools/list`, ms"
PING, LIST, CALLED = "pipelined `ping`, per s", "pipelined `tools/list`, per s", "validated `tools/call`, per s"
MEMORY, MEMORY_AFTER = "memory before the first call, MiB", f"memory after {CALLS:,} calls, MiB"
IDLE = f"CPU in {IDLE_SECONDS:g} s of idleness, ms"
ROWS = (START, START_LIST, PING, LIST, CALLED, MEMORY, MEMORY_AFTER, IDLE)
TARGETS = {START: ("<=", 1.6), PING: (">=", 0.5), MEMORY: ("<=", 1.3)}
"""What ours over the bare loop's has to be."""


class Server:
    """A server process."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env=environment, cwd=environment["HOME"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def write(self, *requests: tuple[str, dict[str, object]]) -> None:
        """Write requests in one go, each with its place as its id."""
        self.process.stdin.write(b"".join(line(number, *request) for number, request in enumerate(requests)))
        self.process.stdin.flush()

    def read(self) -> dict[str, object]:
        """The next answer's result."""
        return json.loads(self.process.stdout.readline())["result"]

    def greet(self) -> None:
        """The handshake."""
        self.write(("initialize", INITIALIZE))
        self.read()
        self.process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def rate(self, method: str, params: dict[str, object], count: int) -> float:
        """Answers per second to pipelined requests."""
        sent = b"".join(line(number, method, params) for number in range(count))
        writer = threading.Thread(target=self._write_all, args=[sent])
        began = time.perf_counter()
        writer.start()
        answers = sum(1 for _ in itertools.islice(self.process.stdout, count))
        seconds = time.perf_counter() - began
        writer.join()
        if answers < count:
            raise RuntimeError(f"{answers} answers to {count} requests")
        return count / seconds

    def _write_all(self, sent: bytes) -> None:
        self.process.stdin.write(sent)
        self.process.stdin.flush()

    def memory(self) -> float:
        """VmRSS in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu(self) -> float:
        """The milliseconds of processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Close the pipes and wait."""
        self.process.communicate()


def line(number: int, method: str, params: dict[str, object]) -> bytes:
    """A request as a line."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Bench:
    """The servers by their names, and what was measured of each: lists of numbers by row."""

    def __init__(self, folder: str) -> None:
        canned = Path(folder) / "canned.json"
        self.commands = {
            BARE: [sys.executable, str(HERE / "bare_loop.py"), str(canned)],
            OURS: [sys.executable, "-m", "kie_mcp"],
        }
        if importlib.util.find_spec("mcp"):
            self.commands[SDK] = [sys.executable, str(HERE / "sdk_server.py"), str(canned)]
        self.measured: dict[str, dict[str, list[float]]] = {name: {row: [] for row in ROWS} for name in self.commands}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KIE_AI_", "PYTHON"))},
            "HOME": folder,
            "KIE_AI_STATE_DIR": folder,
            "PYTHONPATH": str(ROOT),
        }
        canned.write_text(json.dumps(self._canned()), "utf-8")

    def _canned(self) -> dict[str, object]:
        """Our own results, for the others to give."""
        ours = self.start(OURS)
        ours.greet()
        results = {}
        for method, params in (("tools/list", {}), ("tools/call", CALL)):
            ours.write((method, params))
            results[method] = ours.read()
        ours.end()
        return results

    def start(self, name: str) -> Server:
        """A process of the server of that name."""
        return Server(self.commands[name], self.environment)

    def round(self) -> None:
        """Measure every server once."""
        for _ in range(STARTS):
            for name, measured in self.measured.items():
                self.starts(name, measured)
        for name, measured in self.measured.items():
            self.rates(name, measured)

    def starts(self, name: str, measured: dict[str, list[float]]) -> None:
        """Measure how soon a new process answers."""
        for row, further in ((START, []), (START_LIST, [("tools/list", {})])):
            began = time.perf_counter()
            server = self.start(name)
            server.write(("initialize", INITIALIZE), *further)
            for _ in (0, *further):
                server.process.stdout.readline()
            measured[row].append(1000 * (time.perf_counter() - began))
            server.end()

    def rates(self, name: str, measured: dict[str, list[float]]) -> None:
        """Measure how much a process answers, and what memory that takes."""
        server = self.start(name)
        server.greet()
        measured[PING].append(server.rate("ping", {}, PINGS))
        measured[LIST].append(server.rate("tools/list", {}, LISTS))
        measured[MEMORY].append(server.memory())
        measured[CALLED].append(server.rate("tools/call", CALL, CALLS))
        measured[MEMORY_AFTER].append(server.memory())
        server.end()

    def idle(self) -> None:
        """Let all of them do nothing at the same time, after a first call."""
        servers = {name: self.start(name) for name in self.commands}
        for server in servers.values():
            server.greet()
            server.rate("tools/call", CALL, 1)
        before = {name: server.cpu() for name, server in servers.items()}
        threading.Event().wait(IDLE_SECONDS)
        for name, server in servers.items():
            self.measured[name][IDLE].append(server.cpu() - before[name])
            server.end()


def table(measured: dict[str, dict[str, list[float]]]) -> list[str]:
    """The lines of the table, and whether the targets are met."""
    names = list(measured)
    heads = [BARE, *(f"{name} | ratio" for name in names[1:])]
    lines = [f"| | {' | '.join(heads)} | target |", f"|---{'|---:' * (2 * len(names) - 1)}|---|"]
    for row in ROWS:
        medians = [statistics.median(measured[name][row]) for name in names]
        cells = [shown(medians[0])]
        for median in medians[1:]:
            cells += [shown(median), f"{median / medians[0]:.2f}" if medians[0] else ""]
        lines.append(f"| {row} | {' | '.join(cells)} | {verdict(row, medians)} |")
    return lines


def shown(number: float) -> str:
    """A number with as many digits as matter."""
    return f"{number:,.1f}" if number < 1000 else f"{number:,.0f}"


def verdict(row: str, medians: list[float]) -> str:
    """Whether our ratio is what it has to be; empty where nothing is asked of it."""
    if row not in TARGETS:
        return ""
    sign, target = TARGETS[row]
    ratio = medians[1] / medians[0]
    return f"{sign} {target}: {'pass' if (ratio <= target if sign == '<=' else ratio >= target) else 'FAIL'}"


def machine() -> str:
    """What this was measured on."""
    cpu = Path("/proc/cpuinfo").read_text("utf-8").partition("model name\t: ")[2].partition("\n")[0]
    kilobytes = int(Path("/proc/meminfo").read_text("ascii").split()[1])
    system = f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, Linux {platform.release()}"
    return f"{cpu}, {os.cpu_count()} cores, {kilobytes / 2**20:.0f} GiB; {system}; Python {platform.python_version()}"


def main() -> int:
    """Measure, and print the table; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        for _ in range(rounds):
            bench.round()
        bench.idle()
    lines = table(bench.measured)
    print(f"{machine()}; medians of {rounds} rounds\n", *lines, sep="\n")
    return int(any("FAIL" in text for text in lines))


if __name__ == "__main__":
    sys.exit(main())
