"""What the rooms above work with, each part made when it is first needed and only once."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.clock import Clock
    from kie_mcp.config import Config
    from kie_mcp.jobs import Jobs, News
    from kie_mcp.ledger.records import Records

LOOK_AGAIN_SECONDS = 60.0


class Services:
    """The settings, the models, the ledger's records and the jobs.

    ``config``, ``records`` and ``jobs`` raise ``ConfigError`` where a setting cannot be used; they are tried again at
    the next call, so that describing the server never fails because of them. ``serving``: a host is served as long
    as this process lives, so tasks that nobody waits for are collected, and answers are kept within what hosts take.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        load_config: Callable[[], Config],
        load_catalogue: Callable[[], Catalogue],
        build_jobs: Callable[[Config, Catalogue, Clock], Jobs],
        serving: bool = False,
    ) -> None:
        self.clock = clock
        self.serving = serving
        self._load_config = load_config
        self._load_catalogue = load_catalogue
        self._build_jobs = build_jobs
        self._lock = threading.RLock()
        self._building = threading.RLock()
        self._config: Config | None = None
        self._catalogue: Catalogue | None = None
        self._records: Records | None = None
        self._jobs: Jobs | None = None
        self._look_again = float("-inf")
        self._closed = False

    @property
    def config(self) -> Config:
        """The settings."""
        with self._lock:
            if self._config is None:
                self._config = self._load_config()
            return self._config

    @property
    def catalogue(self) -> Catalogue:
        """The models and platforms."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = self._load_catalogue()
            return self._catalogue

    def has_ledger(self) -> bool:
        """Whether there is a ledger, as far as can be seen; looking makes none. Raises ``ConfigError``."""
        return os.path.exists(self.config.ledger_path)  # noqa: PTH110 - Path.exists raises where it may not look

    @property
    def records(self) -> Records:
        """What the ledger holds, without the jobs: hosts look around as soon as they start. One is made if need be."""
        with self._building:
            if self._records is None:
                from kie_mcp.ledger.records import Records

                self._records = Records(self.config.ledger_path, self.clock)
            return self._records

    @property
    def jobs(self) -> Jobs:
        """Everything that needs the ledger or the network."""
        with self._building:  # a lock of its own: the ledger may keep its opener waiting, and nobody else
            if self._jobs is None:
                self._jobs = self._build_jobs(self.config, self.catalogue, self.clock)
                if self.serving:
                    self._jobs.recovery.start()
            return self._jobs

    def look_after_tasks(self) -> None:
        """In the background, look for tasks of dead processes, to be collected; returns at once, never raises.

        One look a minute is enough; without a ledger there is nothing to look for.
        """
        now = self.clock.monotonic()
        with self._lock:
            if not self.serving or now < self._look_again:
                return
            self._look_again = now + LOOK_AGAIN_SECONDS
        with suppress(RuntimeError):  # no thread is to be had; there is another look a minute later
            threading.Thread(target=self._look_after_tasks, name="kie-mcp-look", daemon=True).start()

    def news(self) -> list[News]:
        """The tasks that ended while nobody waited for them, since this was last asked."""
        jobs = self._jobs
        return jobs.recovery.news() if jobs else []

    def _look_after_tasks(self) -> None:
        from kie_mcp.log import logger

        try:
            if not self._closed and self.has_ledger():
                self.jobs.recovery.take_over()
        except Exception as error:  # noqa: BLE001 - the call that comes next says what is wrong
            if not self._closed:
                logger().warning("Tasks of an earlier run could not be looked for: %s", error)

    def reload_catalogue(self) -> None:
        """Forget the models and what was built with them: both are made anew when they are next needed."""
        self._put_away()
        with self._lock:
            self._catalogue = None

    def close(self) -> None:
        """Stop collecting and close the ledger, if it was opened."""
        self._closed = True
        self._put_away()
        with self._building:
            if self._records is not None:
                self._records.close()
                self._records = None

    def _put_away(self) -> None:
        with self._building:
            if self._jobs is not None:
                self._jobs.close()
                self._jobs = None
