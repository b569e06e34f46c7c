"""The composition root: builds the services from the settings; with ``--sandbox``, the sandbox first."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from kie_mcp import log
from kie_mcp.config import load_config, secrets_at_hand
from kie_mcp.errors import ConfigError, KieMcpError
from kie_mcp.services import Services
from kie_mcp.tools import call_tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.clock import Clock
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.jobs import Jobs
    from kie_mcp.sandbox import Sandbox
    from kie_mcp.tools.spec import Tool, ToolResult

    class TextStream(Protocol):
        """What a log is written to."""

        def write(self, text: str, /) -> object:
            """Write one piece."""

        def flush(self) -> object:
            """Pass on what was written."""


SANDBOX_KEY = "sandbox"
"""What the sandbox is called with; it is no secret, so it is never redacted."""


class Application:
    """Everything behind the tools, for the server and the command line alike.

    ``serving`` is as for ``Services``. ``log_stream`` is where the log goes as text (default: stderr).
    """

    def __init__(
        self,
        *,
        sandbox: bool,
        clock: Clock,
        serving: bool = False,
        read_config: Callable[..., Config] = load_config,
        log_stream: TextStream | None = None,
    ) -> None:
        self._asked_for_sandbox = sandbox
        self._read_config = read_config
        self._log_stream = log_stream
        self._lock = threading.RLock()
        self._sandbox: Sandbox | None = None
        self._secrets: tuple[str, ...] | None = None
        self.services = Services(
            clock=clock,
            load_config=self._config,
            load_catalogue=self._catalogue,
            build_jobs=_jobs,
            serving=serving,
        )

    def call(self, tool: Tool, arguments: dict[str, Any], context: CallContext) -> ToolResult:
        """Validate and run one call; raises ``KieMcpError``.

        A key pasted into an argument goes no further: not to Kie, nor into a file's name.
        """
        return call_tool(tool, self.services, self._masked(arguments), context)

    def answer(self, method: str, params: dict[str, Any], context: CallContext) -> dict[str, Any]:
        """The result of a method of resources, prompts or completion; raises ``KieMcpError``.

        Params are masked as for ``call``: of what is cut short in a message, nobody could tell a key afterwards.
        """
        result: dict[str, Any] = _answerer(method)(self.services, self._masked(params), context)
        return result

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown; where the settings cannot be used, as far as it is known."""
        if self._secrets is None:
            try:
                self._secrets = self.services.config.secrets()
            except KieMcpError:
                return secrets_at_hand()  # they may still change, until the settings can be used
        return self._secrets

    @property
    def has_sandbox(self) -> bool:
        """Whether the stand-in of the Kie API runs in this process."""
        return self._sandbox is not None

    def close(self) -> None:
        """Stop collecting, close the ledger and stop the sandbox."""
        self.services.close()
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.stop()
                self._sandbox = None

    def _masked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        with suppress(KieMcpError):
            # Read anew where that has failed so far, so that this call goes by settings that were mended.
            _ = self.services.config
        masked: dict[str, Any] = log.redact(arguments, self.secrets())
        return masked

    def _config(self) -> Config:
        config = self._read_config(sandbox=self._asked_for_sandbox)
        if config.sandbox:
            config = self._in_sandbox(config)
        self._secrets = config.secrets()
        try:
            log.configure(config.log_level, config.log_file, self._secrets, self._log_stream)
        except OSError as error:
            raise ConfigError(
                f"KIE_AI_LOG_FILE is {str(config.log_file)!r}, which cannot be written: {error}."
            ) from error
        return config

    def _catalogue(self) -> Catalogue:
        """The models; where the settings do not say where refreshed ones would be, the bundled ones alone."""
        from kie_mcp.catalogue.catalogue import Catalogue, refreshed_path

        try:
            refreshed = refreshed_path(self.services.config)
        except ConfigError:
            return Catalogue.load()
        return Catalogue.load(refreshed=refreshed)

    def _in_sandbox(self, config: Config) -> Config:
        """The same settings, pointed at a stand-in of the Kie API in this process."""
        from kie_mcp.sandbox import Sandbox, SandboxOptions

        with self._lock:
            if self._sandbox is None:
                self._sandbox = Sandbox(SandboxOptions(seed=random.SystemRandom().getrandbits(64)))
                self._sandbox.start()
            return replace(
                config,
                api_key=SANDBOX_KEY,
                concealed=replace(config, sandbox=False).secrets(),
                base_url=self._sandbox.base_url,
                upload_base_url=self._sandbox.upload_base_url,
            )


def _jobs(config: Config, catalogue: Catalogue, clock: Clock) -> Jobs:
    from kie_mcp.jobs import build_jobs

    return build_jobs(config, catalogue, clock)


_ANSWERERS = {
    "completion/complete": ("kie_mcp.completion", "complete"),
    "prompts/get": ("kie_mcp.prompts", "get_prompt"),
    "prompts/list": ("kie_mcp.prompts", "list_prompts"),
    "resources/list": ("kie_mcp.resources", "list_resources"),
    "resources/read": ("kie_mcp.resources", "read_resource"),
    "resources/templates/list": ("kie_mcp.resources", "list_templates"),
}
"""The function for each method, in a room that is loaded with its first request."""


def _answerer(method: str) -> Callable[..., dict[str, Any]]:
    room, name = _ANSWERERS[method]
    function: Callable[..., dict[str, Any]] = getattr(import_module(room), name)
    return function
