"""``kie-mcp sandbox``: the stand-in of the Kie API alone, until it is interrupted."""

from __future__ import annotations

import random
import sys
from queue import SimpleQueue
from typing import TYPE_CHECKING

from kie_mcp.cli.interruption import signals_told
from kie_mcp.cli.terminal import hint, note, print_json
from kie_mcp.sandbox import Faults, Sandbox, SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

CANNOT_START = 2


def stand_in(*, port: int, task_seconds: float, faults: Sequence[str] = (), as_json: bool = False) -> int:
    """Serve on 127.0.0.1 and say how to point a client at it. Returns the exit code."""
    seed = random.SystemRandom().getrandbits(64)
    sandbox = Sandbox(SandboxOptions(task_seconds=task_seconds, seed=seed), port=port)
    try:
        for fault in faults:
            sandbox.faults.put(Faults.parse(fault))
        sandbox.start()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        note(f"the sandbox cannot start on port {port}: {reason}.")
        return CANNOT_START
    try:
        _serve(sandbox, as_json=as_json)
    finally:
        sandbox.stop()
    return 0


def _serve(sandbox: Sandbox, *, as_json: bool) -> None:
    variables = {
        "KIE_AI_BASE_URL": sandbox.base_url,
        "KIE_AI_UPLOAD_BASE_URL": sandbox.upload_base_url,
        "KIE_AI_API_KEY": "sandbox",
    }
    signals: SimpleQueue[int] = SimpleQueue()
    with signals_told(signals.put):
        if as_json:
            print_json(variables)
        else:
            for name, value in variables.items():
                print(f"{name}={value}")
        sys.stdout.flush()
        note("the sandbox is running; Ctrl-C ends it.")
        hint("Another program uses it once these variables are exported.")
        signals.get()
