"""Many generations at once: order, a pool of workers, a summary. Everything else is a generation."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kie_mcp.errors import CancelledError, InputError, KieMcpError
from kie_mcp.jobs.submitting import stopped
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kie_mcp.context import CallContext
    from kie_mcp.jobs.generation import Generations
    from kie_mcp.jobs.model import Outcome, Prepared, Request

    Result = Outcome | KieMcpError


@dataclass(frozen=True)
class BatchPlan:
    """How a batch runs: ``max_workers`` generations side by side; whether it goes on after an error."""

    max_workers: int = 20
    continue_on_error: bool = True


@dataclass(frozen=True)
class Rehearsal:
    """What a batch would send: per entry the checked request or its error; ``refusal`` if the whole is too dear."""

    entries: tuple[Prepared | KieMcpError, ...]
    warnings: tuple[str, ...] = ()
    refusal: KieMcpError | None = None


class Batches:
    """Runs batches. Each has a pool of its own, so that a batch never waits for itself."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    def run(self, asked: Sequence[Request | KieMcpError], plan: BatchPlan, context: CallContext) -> list[Result]:
        """One result per entry, in order: an outcome or the error that the item ended with.

        An entry that is an error already (its arguments could not be read) stays one. Without
        ``continue_on_error`` nothing is sent after the first error, and nothing at all where an entry is
        known to be wrong from the start; what was sent is finished.
        Raises ``CancelledError`` when the whole call is cancelled, ``InputError`` when the price of all
        items is above the limit.
        """
        prepared = [self._prepare(entry, context) for entry in asked]
        warnings = self._generations.check_price([entry for entry in prepared if not isinstance(entry, KieMcpError)])
        run = _Run(self._generations, plan, context, prepared)
        workers = min(plan.max_workers, max(1, len(prepared)))
        with ThreadPoolExecutor(workers, thread_name_prefix="kie-mcp-batch") as pool:
            contexts = [copy_context() for _ in prepared]  # of this call, whose client may listen to the log
            results = list(pool.map(lambda own, *of: own.run(run.item, *of), contexts, range(len(prepared)), prepared))
        context.raise_if_cancelled()
        return [result if isinstance(result, KieMcpError) else result.warned(warnings) for result in results]

    def rehearse(self, asked: Sequence[Request | KieMcpError], context: CallContext) -> Rehearsal:
        """Check everything as ``run`` does, and send nothing: no picture, no task, no question to Kie."""
        entries = [self._prepare(entry, context, offline=True) for entry in asked]
        refusal: KieMcpError | None = None
        warnings: tuple[str, ...] = ()
        try:
            warnings = self._generations.check_price([entry for entry in entries if not isinstance(entry, KieMcpError)])
        except InputError as error:
            refusal = error
        return Rehearsal(tuple(entries), warnings, refusal)

    def _prepare(
        self, entry: Request | KieMcpError, context: CallContext, *, offline: bool = False
    ) -> Prepared | KieMcpError:
        if isinstance(entry, KieMcpError):
            return entry
        try:
            return self._generations.prepare(entry, context, offline=offline)
        except CancelledError:
            raise
        except KieMcpError as error:
            return error
        except Exception:  # noqa: BLE001 - as in _Run: one item takes no other down
            logger().exception("an item of a batch could not be prepared")
            return KieMcpError("Internal error.")


class _Run:
    """One batch under way: what is done, whether it has stopped, and its progress."""

    def __init__(
        self,
        generations: Generations,
        plan: BatchPlan,
        context: CallContext,
        prepared: Sequence[Prepared | KieMcpError],
    ) -> None:
        self._generations = generations
        self._plan = plan
        self._context = context
        self._total = len(prepared)
        self._lock = threading.Lock()
        self._done = 0
        wrong = (index for index, entry in enumerate(prepared) if isinstance(entry, KieMcpError))
        self._stopped_by = None if plan.continue_on_error else next(wrong, None)

    def item(self, index: int, prepared: Prepared | KieMcpError) -> Result:
        """Run one item to its end; never raises, so that no item takes another down."""
        result = prepared if isinstance(prepared, KieMcpError) else self._generate(index, prepared)
        with self._lock:
            self._done += 1
            if isinstance(result, KieMcpError) and not self._plan.continue_on_error and self._stopped_by is None:
                self._stopped_by = index
        self._report(index, "failed" if isinstance(result, KieMcpError) else _told(result))
        return result

    def _generate(self, index: int, prepared: Prepared) -> Result:
        try:
            self._refuse_if_stopped()
            return self._generations.run(
                prepared,
                self._context.child(lambda _done, _total, message: self._report(index, message)),
                before_sending=self._refuse_if_stopped,
            )
        except KieMcpError as error:
            return error
        except Exception:  # noqa: BLE001 - a bug in one item must not lose the outcomes of the others
            logger().exception("item %d of a batch failed unexpectedly", index)
            return KieMcpError("Internal error.")

    def _refuse_if_stopped(self) -> None:
        with self._lock:
            if self._stopped_by is not None:
                raise stopped(f"Not sent: item {self._stopped_by} failed and continue_on_error is false.")

    def _report(self, index: int, message: str) -> None:
        with self._lock:  # also while it is told, so that no other tells of more before
            done = self._done
            self._context.progress(done, self._total, f"{done} of {self._total} done; item {index}: {message}")


def _told(outcome: Outcome) -> str:
    return f"saved {Path(outcome.files[0].path).name}" if outcome.files else outcome.status
