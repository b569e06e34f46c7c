"""``kie-mcp doctor``: one line per thing that has to be right, and what to do where it is not.

Nothing is created: neither the output folder nor the state folder.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

import kie_mcp
from kie_mcp.cli.running import internal_error
from kie_mcp.errors import ConfigError, KieMcpError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

    Check = tuple[str, bool, str]


_PARTS = ("-wal", "-shm")
"""What SQLite keeps beside a file."""


def checks(services: Services, context: CallContext) -> Iterator[Check]:
    """Yield ``(what, whether it is right, detail)``; later checks are left out where the settings are not."""
    yield "program", True, f"kie-mcp {kie_mcp.__version__}, Python {platform.python_version()} ({sys.executable})"
    try:
        config = services.config
    except KieMcpError as error:
        yield "settings", False, f"{error.message} {error.next_step}"
        return
    yield "settings", True, "sandbox: no key, no network" if config.sandbox else f"API at {config.base_url}"
    yield _checked("models", lambda: f"{len(services.catalogue.search(None, None))} image models")
    yield _checked("output folder", lambda: _output_folder(config))
    yield _checked("state folder", lambda: _state_folder(services, config))
    yield _checked("API key", lambda: "not needed in the sandbox" if config.sandbox else _key(config))
    if config.api_key:
        yield _checked("connection", lambda: _balance(config, context))


def _checked(what: str, look: Callable[[], str]) -> Check:
    """Look at one thing; whatever goes wrong there, the others are looked at too."""
    try:
        return what, True, look()
    except KieMcpError as error:
        return what, False, f"{error.message} {error.next_step}"
    except Exception as error:  # noqa: BLE001 - as the docstring says
        unexpected = internal_error(error)
        return what, False, f"{unexpected.message} {unexpected.next_step}"


def _key(config: Config) -> str:
    config.require_key()
    return "set"


def _output_folder(config: Config) -> str:
    """Right as long as pictures can be written somewhere."""
    from kie_mcp.files import Outputs

    folder, warning = Outputs(config).default_folder()
    if warning is not None and f"{folder} is used instead" not in warning:
        raise OutputError(warning, next_step="Set KIE_AI_OUTPUT_DIR to a folder that you can write to.")
    return warning or str(folder)


def _state_folder(services: Services, config: Config) -> str:
    """The ledger is opened where there is one; else its folder has to be possible."""
    ledger = config.ledger_path.absolute()
    folder = ledger.parent
    if os.path.lexists(ledger):
        services.jobs.ledger.recent(limit=1)
        kept = sorted(path.name for path in folder.glob(f"{ledger.name}.*-*") if not path.name.endswith(_PARTS))
        return "; ".join([str(folder), *([f"earlier ledgers kept there: {', '.join(kept)}"] if kept else [])])
    place = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise ConfigError(
            f"The state folder {folder} cannot be written to.",
            next_step="Make it writable, or set KIE_AI_STATE_DIR to another folder.",
        )
    return str(folder) if place == folder else f"{folder} (made with the first task)"


def _balance(config: Config, context: CallContext) -> str:
    from kie_mcp.cli.terminal import number
    from kie_mcp.kie import KieClient

    context.progress(0, None, f"connecting to {config.base_url}")
    balance = KieClient(config, poll_turn=lambda _: None).credits(context)
    return f"{number(balance)} credits"
