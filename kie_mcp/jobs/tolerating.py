"""Going on where a note to others fails: what was done before counts more, and the failure is logged."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kie_mcp.errors import KieMcpError
from kie_mcp.log import logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def failure_logged(level: int, what: str, *of: str) -> Iterator[None]:
    """Log a ``KieMcpError`` at ``level`` and go on; ``what``, a format of ``of``, says what did not come about."""
    try:
        yield
    except KieMcpError as error:
        logger().log(level, f"{what}: %s", *of, error.message)
