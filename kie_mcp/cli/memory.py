"""Memory that is freed goes back to the system. Loaded with the first call.

Source: mallopt(3) and malloc_trim(3) of glibc. Other C libraries are left alone.
"""

from __future__ import annotations

import gc
import itertools
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""``M_MMAP_THRESHOLD`` and ``M_ARENA_MAX`` of glibc's ``malloc.h``."""

LARGE_BYTES = 65536
ARENAS = 2
EVERY_CALLS = 25


class Memory:
    """Has memory given back: large pieces as soon as they are freed, the rest once in a while.

    Otherwise glibc's size of what is given back at once rises with every such piece that is freed, and each thread has
    a heap of its own, of which it keeps some megabytes for ever once it has handled a picture or a long answer. And
    Python looks for garbage the more seldom the more objects there are: it is made to, and those that the first calls
    have loaded, which stay, are looked at no more (nor is, this once, what calls under way hold). To be made before
    there are threads for calls: a heap that is there stays.
    """

    def __init__(self) -> None:
        self._calls = itertools.count(1)
        self._trim: Callable[[int], object] = lambda _: None
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            library = ctypes.CDLL(None)
            self._trim = library.malloc_trim  # which glibc alone has
            library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
            library.mallopt(_ARENA_MAX, ARENAS)

    def after_call(self) -> None:
        """Give back what is free, after every so many calls. Any thread may call; takes milliseconds."""
        count = next(self._calls)
        if count % EVERY_CALLS:
            return
        gc.collect()
        if count == EVERY_CALLS:
            gc.freeze()
        self._trim(0)
