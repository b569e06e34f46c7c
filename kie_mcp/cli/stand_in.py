"""``kie-mcp sandbox``: the stand-in of the Kie API alone, until it is interrupted."""

from __future__ import annotations

import secrets
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from kie_mcp.sandbox import Faults, Sandbox, SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Sequence


def stand_in(*, port: int, task_seconds: float, faults: Sequence[str] = ()) -> int:
    """Serve on 127.0.0.1 and say how to point a client at it. Returns the exit code."""
    sandbox = Sandbox(SandboxOptions(task_seconds=task_seconds, seed=secrets.randbits(64)), port=port)
    try:
        for fault in faults:
            sandbox.faults.put(Faults.parse(fault))
        sandbox.start()
    except (OSError, ValueError) as error:
        print(f"kie-mcp: the sandbox cannot start: {error}", file=sys.stderr)
        return 2
    ended = threading.Event()

    def end(_signum: int, _frame: Any) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    print(f"KIE_AI_BASE_URL={sandbox.base_url}")
    print(f"KIE_AI_UPLOAD_BASE_URL={sandbox.upload_base_url}")
    print("KIE_AI_API_KEY=sandbox", flush=True)
    ended.wait()
    sandbox.stop()
    return 0
