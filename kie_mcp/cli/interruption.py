"""Ctrl-C and its like: a call under way is cancelled, not torn apart, so that no task id is lost."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

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

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
        self.left_behind = False

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
    future: Future[T] = Future()
    thread = threading.Thread(target=_fill, args=(future, work, context), name="kie-mcp-command", daemon=True)
    with signals_raise():
        try:
            thread.start()
            wait([future])  # not thread.join: Python 3.11 takes a thread for ended when its join is interrupted
        except InterruptError as interrupt:
            context.cancel()
            _let_end(future, context, still_needed)
            interrupt.left_behind = not future.done()
            if interrupt.left_behind or isinstance(future.exception(), CancelledError):
                raise
    return future.result()


def _fill(future: Future[T], work: Callable[[CallContext], T], context: CallContext) -> None:
    try:
        future.set_result(work(context))
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
        future.set_exception(error)


def _let_end(future: Future[Any], context: CallContext, still_needed: Callable[[], bool]) -> None:
    until = context.clock.monotonic() + GRACE_SECONDS
    with suppress(InterruptError):
        while not wait([future], _LOOK_SECONDS).done:
            if context.clock.monotonic() >= until and not still_needed():
                return


@contextmanager
def signals_raise() -> Iterator[None]:
    """Signals raise ``InterruptError``, except where whoever started the program has them ignored."""

    def handle(signum: int, _frame: Any) -> None:
        raise InterruptError(signum)

    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    heard = [signum for signum in SIGNALS if before[signum] is not signal.SIG_IGN]
    try:
        for signum in heard:
            signal.signal(signum, handle)
        yield
    finally:
        for signum in heard:
            signal.signal(signum, before[signum])
