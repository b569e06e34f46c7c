"""How close a batch comes to the time that the rate window and its tasks allow.

Run by hand: ``python tests/bench/waits.py`` simulates batches in virtual time, with the real window, gate and watcher;
createTask takes a while, polls take no time. ``--real`` runs a few against the sandbox as well (about three minutes).
``ideal`` is list scheduling: each task starts as soon as a worker is free and the window allows, and requests take no
time. ``there are`` says how many polls a task may have on average, at what the gate allows: below five, tasks of ten
seconds cannot be noticed within a twentieth of their time, whatever the order of the polls.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import statistics
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.clock import Clock
from kie_mcp.config import Rate, config_from
from kie_mcp.context import CallContext
from kie_mcp.jobs.waiting import POLLS_PER_SECOND, PollGate
from kie_mcp.jobs.watching import Watch, Watcher
from kie_mcp.kie import TaskStatus
from kie_mcp.ledger import RateWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERVAL = 3.0
CREATE_SECONDS = (0.1, 0.4)
KIES_RATE = Rate(20, 10)
SEEDS = 5


@dataclass(frozen=True)
class Batch:
    """``items`` by ``workers`` in each of ``processes``; a task takes about ``seconds``."""

    items: int
    workers: int
    seconds: float
    rate: Rate = KIES_RATE
    processes: int = 1


BATCHES = (
    Batch(20, 20, 10),
    Batch(40, 20, 10),
    Batch(100, 20, 10),
    Batch(10, 5, 10),
    Batch(20, 4, 15),
    Batch(100, 20, 15),
    Batch(60, 20, 20),
    Batch(100, 20, 30),
    Batch(100, 40, 30),
    Batch(200, 100, 30),
    Batch(60, 20, 60),
    Batch(200, 100, 60),
    Batch(40, 20, 150),
    Batch(60, 20, 15, processes=3),
    Batch(90, 10, 30, processes=3),
    Batch(100, 20, 5),
    Batch(100, 20, 3),
    Batch(100, 50, 10, Rate(100, 10)),
    Batch(200, 100, 30, Rate(100, 10)),
)
REAL = (Batch(20, 20, 10), Batch(40, 20, 10), Batch(40, 10, 10), Batch(60, 20, 15))


class VirtualClock(Clock):
    """Time that passes only while all threads wait: of those that it runs one goes on at a time, until it waits."""

    def __init__(self) -> None:
        self.time = 0.0
        self._order = itertools.count()
        self._waking: list[tuple[float, int, threading.Lock]] = []
        self._ended = threading.Semaphore(0)

    def now(self) -> float:
        return 1_790_000_000 + self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, event: threading.Event, seconds: float) -> bool:
        turn = self._turn_in(max(0.0, seconds))
        self._go_on()
        turn.acquire()
        return event.is_set()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Let all of them begin now, in this order; returns when all have ended."""
        threads = [threading.Thread(target=self._run, args=(work, self._turn_in(0.0))) for work in works]
        for thread in threads:
            thread.start()
        self._go_on()
        self._ended.acquire()
        for thread in threads:
            thread.join()

    def _run(self, work: Callable[[], None], turn: threading.Lock) -> None:
        turn.acquire()
        work()
        self._go_on()

    def _turn_in(self, seconds: float) -> threading.Lock:
        turn = threading.Lock()
        turn.acquire()
        heapq.heappush(self._waking, (self.time + seconds, next(self._order), turn))
        return turn

    def _go_on(self) -> None:
        if not self._waking:
            self._ended.release()
            return
        self.time, _, turn = heapq.heappop(self._waking)
        turn.release()


class Memory:
    """Documents in memory."""

    worked = True

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, dict] = {}

    def change(self, name, step):
        return step(self._documents.setdefault(name, {}), self._clock.monotonic())


class Simulation:
    """One batch in virtual time; it stands in for Kie and for the ledger of ``Watcher``."""

    def __init__(self, batch: Batch, times: Sequence[float], learned: Sequence[float]) -> None:
        self.clock = VirtualClock()
        self.polls: list[float] = []
        self.late: list[float] = []
        self._batch = batch
        self._times = times
        self._learned = list(learned)
        self._done: dict[str, float] = {}
        self._requests = random.Random(batch.items)

    def run(self) -> float:
        """The time until the last item is done."""
        documents = Memory(self.clock)
        workers = []
        for number in range(self._batch.processes):
            items = deque(range(number, self._batch.items, self._batch.processes))
            window, gate = RateWindow(documents, self._batch.rate, self.clock), PollGate(self.clock, documents)
            workers += [partial(self._work, items, window, gate)] * self._batch.workers
        self.clock.run(workers)
        return self.clock.time

    def _work(self, items: deque[int], window: RateWindow, gate: PollGate) -> None:
        context = CallContext(self.clock)
        watcher = Watcher(_Kie(self, gate), self, gate.backlog)
        while items:
            item = items.popleft()
            ticket = window.acquire(context)
            context.sleep(self._requests.uniform(*CREATE_SECONDS) / 2)
            began = self.clock.time
            self._done[str(item)] = began + self._times[item]
            context.sleep(self._requests.uniform(*CREATE_SECONDS) / 2)
            window.settle(ticket)
            watch = Watch(str(item), "model", since=self.clock.time, until=math.inf, interval=INTERVAL)
            watcher.wait(watch, context)
            self.late.append((self.clock.time - self._done[str(item)]) / self._times[item])

    def poll(self, task_id: str) -> TaskStatus:
        """What Kie answers now."""
        self.polls.append(self.clock.time)
        done = self.clock.time >= self._done[task_id]
        return TaskStatus(task_id, "success" if done else "generating", seconds=round(self._times[int(task_id)]))

    def find(self, _task_id: str) -> None:
        """The ledger knows nothing."""

    def model_seconds(self, _model: str) -> list[float]:
        return self._learned

    def observed(self, _task_id: str, state: str, *, seconds: float, **_: object) -> None:
        if state == "success":
            self._learned = [float(seconds), *self._learned][:50]


class _Kie:
    """Kie's API as one process sees it."""

    def __init__(self, simulation: Simulation, gate: PollGate) -> None:
        self._simulation = simulation
        self._gate = gate

    def get_task(self, task_id: str, context: CallContext, *, once: bool) -> TaskStatus:
        assert once
        self._gate.wait_turn(context)
        return self._simulation.poll(task_id)


def ideal(batch: Batch, times: Sequence[float]) -> float:
    """List scheduling of the tasks under the window; each process has its own."""
    tasks = [deque(times[number :: batch.processes]) for number in range(batch.processes)]
    free = [(0.0, number) for _ in range(batch.workers) for number in range(batch.processes)]
    starts, last = [], 0.0
    while free:
        start, number = heapq.heappop(free)
        if not tasks[number]:
            continue
        if len(starts) >= batch.rate.count:
            start = max(start, starts[-batch.rate.count] + batch.rate.seconds)
        starts.append(start)
        end = start + tasks[number].popleft()
        heapq.heappush(free, (end, number))
        last = max(last, end)
    return last


def most_in_a_second(moments: Sequence[float]) -> int:
    """The most moments in any second."""
    return max(sum(later < moment + 1 - 1e-9 for later in moments[at : at + 30]) for at, moment in enumerate(moments))


def drawn(batch: Batch, spread: str, seed: int) -> tuple[list[float], list[float]]:
    """The times of the items, and of fifty earlier tasks of the model."""
    randomness = random.Random(seed)
    one = (
        (lambda: batch.seconds * randomness.uniform(0.7, 1.3))
        if spread == "even"
        else (lambda: batch.seconds * randomness.lognormvariate(0, 0.3))
    )
    return [one() for _ in range(batch.items)], [float(round(one())) for _ in range(50)]


HEADING = (
    f"{'items':>5} {'workers':>7} {'window':>7} {'task s':>6} {'spread':>6} {'known':>5} {'ideal':>7} {'actual':>7} "
    f"{'ratio':>6} {'worst':>6} {'noticed late by':>15} {'polls a task':>12} {'there are':>9} {'most a second':>13}"
)


def simulated(batch: Batch, spread: str, *, known: bool) -> str:
    """One line of the table: the average over some seeds."""
    best, actual, late, polls, most = [], [], [], [], 0
    for seed in range(SEEDS):
        times, learned = drawn(batch, spread, seed)
        simulation = Simulation(batch, times, learned if known else [])
        actual.append(simulation.run())
        best.append(ideal(batch, times))
        late.append(statistics.mean(simulation.late))
        polls.append(len(simulation.polls) / batch.items)
        most = max(most, most_in_a_second(simulation.polls))
    ratios = [one / other for one, other in zip(actual, best, strict=True)]
    there_are = POLLS_PER_SECOND * statistics.mean(best) / batch.items
    return (
        f"{line_of(batch)} {spread:>6} {'yes' if known else 'no':>5} {statistics.mean(best):7.1f} "
        f"{statistics.mean(actual):7.1f} {statistics.mean(ratios):6.3f} {max(ratios):6.3f} "
        f"{statistics.mean(late):15.1%} {statistics.mean(polls):12.1f} {there_are:9.1f} {most:13}"
    )


def line_of(batch: Batch) -> str:
    """What was asked."""
    workers = f"{batch.processes} x {batch.workers}" if batch.processes > 1 else str(batch.workers)
    return f"{batch.items:5} {workers:>7} {batch.rate.count:>4}/{batch.rate.seconds:g} {batch.seconds:6g}"


def real(batch: Batch, services, sandbox) -> str:
    """One batch against the sandbox, over its sockets; the sandbox tells the times of its tasks."""
    from kie_mcp.tools import TOOLS, call_tool

    tool = next(tool for tool in TOOLS if tool.name == "generate_visual_batch")
    items = [{"prompt": f"fox {number}", "resolution": "1K"} for number in range(batch.items)]
    before = sandbox.stats()
    began = time.monotonic()
    answer = call_tool(tool, services, {"items": items, "max_workers": batch.workers}, CallContext())
    actual = time.monotonic() - began
    after = sandbox.stats()
    ledger = services.jobs.ledger
    times = [ledger.find(entry["task_id"]).seconds for entry in answer.structured["results"]]
    best = ideal(batch, times)
    polls = (after["polls"] - before["polls"]) / batch.items
    return (
        f"{line_of(batch)} {'even':>6} {'':>5} {best:7.1f} {actual:7.1f} {actual / best:6.3f} {'':6} {'':15} "
        f"{polls:12.1f} {POLLS_PER_SECOND * best / batch.items:9.1f} {after['max_polls_in_one_second']:13}"
    )


def against_the_sandbox() -> None:
    """The real program, each time without any knowledge of the model's times."""
    from kie_mcp.catalogue import Catalogue
    from kie_mcp.jobs import build_jobs
    from kie_mcp.sandbox import Sandbox, SandboxOptions
    from kie_mcp.services import Services

    catalogue = Catalogue.load()
    for batch in REAL:
        options = SandboxOptions(task_seconds=batch.seconds, rate=batch.rate)
        with tempfile.TemporaryDirectory() as folder, Sandbox(options) as sandbox:
            settings = {
                "KIE_AI_API_KEY": "k-bench-0123456789",
                "KIE_AI_BASE_URL": sandbox.base_url,
                "KIE_AI_UPLOAD_BASE_URL": sandbox.upload_base_url,
                "KIE_AI_OUTPUT_DIR": folder,
                "KIE_AI_STATE_DIR": str(Path(folder) / "state"),
            }
            services = Services(
                clock=Clock(),
                load_config=partial(config_from, settings),
                load_catalogue=lambda: catalogue,
                build_jobs=build_jobs,
            )
            print(real(batch, services, sandbox), flush=True)
            services.close()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", action="store_true", help="run a few batches against the sandbox too")
    arguments = parser.parse_args()
    print(HEADING)
    for batch, spread, known in itertools.product(BATCHES, ("even", "wide"), (False, True)):
        print(simulated(batch, spread, known=known), flush=True)
    if arguments.real:
        print("against the sandbox, nothing known at first, times as Kie tells them:")
        print(HEADING)
        against_the_sandbox()


if __name__ == "__main__":
    main()
