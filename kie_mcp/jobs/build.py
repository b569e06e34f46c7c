"""Joins the rooms below into what tools use. Imported when the first call needs the network or the ledger."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.catalogue.catalogue import refreshed_path
from kie_mcp.files import Outputs
from kie_mcp.jobs.batch import Batches
from kie_mcp.jobs.generation import Generations
from kie_mcp.jobs.refreshing import Refresher
from kie_mcp.jobs.saving import Saver
from kie_mcp.jobs.sources import Sources
from kie_mcp.jobs.submitting import Submitter
from kie_mcp.jobs.uploads import Uploads
from kie_mcp.jobs.waiting import PollGate
from kie_mcp.jobs.watching import Watcher
from kie_mcp.kie import Downloader, KieClient
from kie_mcp.kie.market import Market
from kie_mcp.ledger import Database, RateWindow, TaskLedger, UploadLedger

if TYPE_CHECKING:
    from pathlib import Path

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.clock import Clock
    from kie_mcp.config import Config


@dataclass(frozen=True)
class Jobs:
    """The doors of this floor."""

    generations: Generations
    batches: Batches
    ledger: TaskLedger
    client: KieClient
    database: Database
    refresher: Refresher


def ledger_path(config: Config) -> Path:
    """The file of the ledger; play tasks, of an API on this machine, have one of their own."""
    return config.state_file("ledger", "sqlite3")


def build_jobs(config: Config, catalogue: Catalogue, clock: Clock) -> Jobs:
    """Open the ledger and join everything.

    Raises ``ConfigError`` where the state folder cannot be used.
    """
    database = Database(ledger_path(config))
    ledger = TaskLedger(database, clock, secrets=config.secrets())
    gate = PollGate(clock)
    client = KieClient(config, poll_turn=gate.wait_turn, random=random.Random())  # noqa: S311 - jitter
    downloader = Downloader(config)
    uploads = Uploads(config, client, downloader, UploadLedger(database, clock, secrets=config.secrets()))
    watcher = Watcher(client, ledger, gate.backlog)
    generations = Generations(
        config=config,
        catalogue=catalogue,
        ledger=ledger,
        outputs=Outputs(config),
        sources=Sources(config, client, downloader, ledger, watcher, uploads),
        submitter=Submitter(config, client, ledger, RateWindow(database, config.rate_limit, clock)),
        watcher=watcher,
        saver=Saver(config, client, downloader, ledger, lambda: uuid.uuid4().hex),
    )
    refresher = Refresher(config, refreshed_path(config), lambda: Market(client))
    return Jobs(generations, Batches(generations), ledger, client, database, refresher)
