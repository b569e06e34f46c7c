"""The stand-in as one object: start it, use its URLs, set faults, read what happened, stop it."""

from __future__ import annotations

import random as randomness
from typing import TYPE_CHECKING, Any

from kie_mcp.clock import Clock
from kie_mcp.sandbox.api import Api, stats_of
from kie_mcp.sandbox.downloads import Downloads
from kie_mcp.sandbox.drawing import Gallery
from kie_mcp.sandbox.faults import Faults
from kie_mcp.sandbox.jobs import Jobs
from kie_mcp.sandbox.listing import Listing
from kie_mcp.sandbox.options import SandboxOptions
from kie_mcp.sandbox.reading import Reading
from kie_mcp.sandbox.server import Server
from kie_mcp.sandbox.state import State
from kie_mcp.sandbox.store import Store
from kie_mcp.sandbox.uploads import Uploads

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from kie_mcp.catalogue import Catalogue


class Sandbox:
    """A faithful loopback stand-in for the Kie API. A context manager; may be started once.

    ``catalogue`` are the models that it knows (default: the bundled ones), ``port`` 0 takes a free one.
    ``random`` makes everything repeatable, ids included.
    Its answers follow docs.kie.ai, and the live API where that differs.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        *,
        catalogue: Catalogue | None = None,
        clock: Clock | None = None,
        random: randomness.Random | None = None,
        port: int = 0,
    ) -> None:
        self.options = options or SandboxOptions()
        self.faults = Faults()
        self._catalogue = catalogue
        self._clock = clock or Clock()
        # Ids differ from run to run: whoever remembers tasks may see many runs.
        self._ids = random or randomness.SystemRandom()
        times = random or randomness.Random(self.options.seed)  # noqa: S311 - times, not secrets
        self._port = port
        self._state = State(self.options, self._clock, times, self._ids)
        self._store = Store(self._clock, self.options.upload_seconds)
        self._server: Server | None = None
        self._origin = ""

    def start(self) -> Self:
        """Listen on loopback. Raises ``OSError`` where the port is taken, ``BundleError`` without model files."""
        if self._origin:
            raise RuntimeError("a sandbox can be started once")
        catalogue = self._catalogue or _bundled()
        server = Server(self._port, self._clock)
        self._server, self._origin = server, server.origin
        server.answer = self._api(catalogue).answer
        server.start()
        return self

    def _api(self, catalogue: Catalogue) -> Api:
        options, state, clock, origin = self.options, self._state, self._clock, self._origin
        gallery = Gallery()
        secret = self._ids.randbytes(16)
        downloads = Downloads(options, state, gallery, clock, origin, secret)
        rooms = (
            Jobs(options, state, catalogue, clock, Reading(self._store, downloads, origin)),
            downloads,
            Uploads(state, self._store, gallery, clock, origin),
            Listing(state, catalogue),
        )
        return Api(options, state, self.faults, rooms)

    def stop(self) -> None:
        """Close every connection and delete what was uploaded; stopping twice does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            self._store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """What ``KIE_AI_BASE_URL`` is set to. Raises ``RuntimeError`` before the start."""
        return f"{self.upload_base_url}/api/v1"

    @property
    def upload_base_url(self) -> str:
        """What ``KIE_AI_UPLOAD_BASE_URL`` is set to. Raises ``RuntimeError`` before the start."""
        if not self._origin:
            raise RuntimeError("the sandbox is not started")
        return self._origin

    def stats(self) -> dict[str, Any]:
        """What has been asked so far, and what came of it; the same as GET /sandbox/stats.

        ``created`` are accepted tasks, ``rejected`` refused createTask calls by code, ``downloads`` result
        files that were sent, ``authorized_downloads`` requests for files that carried a key (there should
        be none), ``requests`` all requests by endpoint.
        """
        return stats_of(self._state, self.faults)


def _bundled() -> Catalogue:
    from kie_mcp.catalogue import Catalogue

    return Catalogue.load()
