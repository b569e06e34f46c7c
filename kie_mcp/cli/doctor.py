"""``kie-mcp doctor``: one line per thing that has to be right, and what to do where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kie_mcp.errors import KieMcpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kie_mcp.context import CallContext
    from kie_mcp.tools.services import Services

    Check = tuple[str, bool, str]


def checks(services: Services, context: CallContext) -> Iterator[Check]:
    """Yield ``(what, whether it is right, detail)``; later checks are left out where the settings are not."""
    try:
        config = services.config
    except KieMcpError as error:
        yield "settings", False, error.message
        return
    yield "settings", True, "sandbox: no key, no network" if config.sandbox else f"API at {config.base_url}"
    yield _checked("API key", lambda: "set" if config.require_key() else "")
    yield _checked("models", lambda: f"{len(services.catalogue.search(None, None))} image models")
    yield _checked("output folder", lambda: str(_folder(services)))
    yield _checked("state folder", lambda: _ledger(services))
    if config.api_key:
        yield _checked("connection", lambda: f"{services.jobs.client.credits(context):g} credits")


def _checked(what: str, look: Callable[[], str]) -> Check:
    try:
        return what, True, look()
    except KieMcpError as error:
        return what, False, f"{error.message} {error.next_step}"


def _folder(services: Services) -> str:
    target = services.jobs.generations.outputs.target(None)
    return "; ".join([str(target.folder), *target.warnings])


def _ledger(services: Services) -> str:
    database = services.jobs.database
    return "; ".join([str(services.config.state_path), *([database.notice] if database.notice else [])])
