"""The entry point: the server without further ado, everything else through the command line."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


INTERRUPTED = 130
"""Exit code of a program that Ctrl-C has ended, as shells know it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with ``argv`` (default: the process's arguments); returns the exit code.

    ``kie-mcp``, with ``serve`` or ``--sandbox`` or both, is the server, started without loading a parser.
    """
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # before signals are handled where it counts
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    if sorted(arguments) in ([], ["serve"], ["--sandbox"], ["--sandbox", "serve"]):
        from kie_mcp.cli.serve import serve

        return serve(sandbox="--sandbox" in arguments)
    if arguments in (["--version"], ["-V"]):
        from kie_mcp import __version__

        print(f"kie-mcp {__version__}")  # noqa: T201 - this is what was asked for
        return 0
    from kie_mcp.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
