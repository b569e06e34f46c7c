"""Ctrl-C and its like: a call under way is cancelled, not torn apart, so that no task id is lost."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from kie_mcp.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.context import CallContext

T = TypeVar("T")

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

GRACE_SECONDS = 0.3
"""How long a cancelled call may take to end by itself; a request that hangs takes longer and is left behind."""

_LOOK_SECONDS = 0.1


class InterruptError(KeyboardInterrupt):
    """A signal has ended the command. ``left_behind``: a thread of it still works."""

    def __init__(self, signum: int, *, left_behind: bool) -> None:
        super().__init__(signum)
        self.signum = signum
        self.left_behind = left_behind

    @property
    def exit_code(self) -> int:
        """What a shell expects: 130 after Ctrl-C."""
        return 128 + self.signum


def interruptible(
    work: Callable[[CallContext], T], context: CallContext, still_needed: Callable[[], bool] = lambda: False
) -> T:
    """Run ``work`` on a thread of its own and return what it returns. Main thread only.

    A signal cancels its context; then it is waited for as long as ``still_needed`` says, at least
    ``GRACE_SECONDS``, at most until a second signal. Raises what ``work`` raises, and ``InterruptError``
    where a signal kept it from its end.
    """
    happened: SimpleQueue[int | None] = SimpleQueue()  # a signal, or that the work has ended: None
    future: Future[T] = Future()
    thread = threading.Thread(target=_fill, args=(future, work, context, happened), name="kie-mcp-command", daemon=True)
    with signals_told(happened.put):
        thread.start()
        signum = happened.get()
        if signum is not None:
            context.cancel()
            _let_end(happened, context, still_needed)
            if not future.done() or isinstance(future.exception(), CancelledError):
                raise InterruptError(signum, left_behind=not future.done())
    return future.result()


def _fill(
    future: Future[T], work: Callable[[CallContext], T], context: CallContext, happened: SimpleQueue[int | None]
) -> None:
    try:
        future.set_result(work(context))
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
        future.set_exception(error)
    happened.put(None)


def _let_end(happened: SimpleQueue[int | None], context: CallContext, still_needed: Callable[[], bool]) -> None:
    until = context.clock.monotonic() + GRACE_SECONDS
    while context.clock.monotonic() < until or still_needed():
        with suppress(Empty):
            happened.get(timeout=_LOOK_SECONDS)
            return


@contextmanager
def signals_told(tell: Callable[[int], object]) -> Iterator[None]:
    """Signals are told, except where whoever started the program has them ignored. Main thread only.

    A handler runs between any two steps of this thread: what it raised could leave a lock held for ever or a list half
    changed. ``tell`` therefore takes no lock of Python's; ``SimpleQueue.put`` is made for that.
    """
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    heard = [signum for signum in SIGNALS if before[signum] is not signal.SIG_IGN]
    try:
        for signum in heard:
            signal.signal(signum, lambda signum, _: tell(signum))
        yield
    finally:
        for signum in heard:
            signal.signal(signum, before[signum])
