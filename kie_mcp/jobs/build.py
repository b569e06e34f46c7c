"""Joins the rooms below into what tools use. Imported when the first call needs the network or the ledger."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kie_mcp.catalogue.catalogue import refreshed_path
from kie_mcp.files import Outputs
from kie_mcp.files.preview import Previews
from kie_mcp.jobs.batch import Batches
from kie_mcp.jobs.generation import Generations
from kie_mcp.jobs.recovery import Recovery
from kie_mcp.jobs.refreshing import Refresher
from kie_mcp.jobs.saving import Saver
from kie_mcp.jobs.sources import Sources
from kie_mcp.jobs.submitting import Submitter
from kie_mcp.jobs.unattended import Unattended
from kie_mcp.jobs.uploads import Uploads
from kie_mcp.jobs.waiting import PollGate
from kie_mcp.jobs.watching import Watcher
from kie_mcp.kie import Downloader, KieClient
from kie_mcp.kie.market import Market
from kie_mcp.ledger import Custody, Database, Presence, RateWindow, TaskLedger, UploadLedger
from kie_mcp.ledger.batch_results import BatchResults
from kie_mcp.ledger.documents import open_documents

if TYPE_CHECKING:
    from kie_mcp.catalogue import Catalogue
    from kie_mcp.clock import Clock
    from kie_mcp.config import Config
    from kie_mcp.ledger.documents import Documents


@dataclass(frozen=True)
class Jobs:
    """The doors of this floor."""

    generations: Generations
    batches: Batches
    recovery: Recovery
    ledger: TaskLedger
    batch_results: BatchResults
    previews: Previews
    custody: Custody
    client: KieClient
    presence: Presence
    database: Database
    documents: Documents
    refresher: Refresher

    def close(self) -> None:
        """Stop what goes on in the background, and close the files of the state folder."""
        self.recovery.close()
        self.presence.close()
        self.database.close()
        self.documents.close()


@dataclass(frozen=True)
class _State:
    """What is kept in the state folder, opened."""

    database: Database
    presence: Presence
    ledger: TaskLedger
    custody: Custody
    uploads: UploadLedger
    batch_results: BatchResults


def build_jobs(config: Config, catalogue: Catalogue, clock: Clock) -> Jobs:
    """Open the ledger and join everything.

    Raises ``ConfigError`` where the state folder cannot be used.
    """
    state = _open_state(config, clock)
    documents = open_documents(config, clock)
    gate = PollGate(clock, documents)
    # The presence of a process on another machine cannot be seen from here.
    is_alive = state.presence.is_alive if config.rate_limit_url is None else lambda _: True
    window = RateWindow(documents, config.rate_limit, clock, owner=state.presence.id, is_alive=is_alive)
    client = KieClient(config, poll_turn=gate.wait_turn, random=random.Random())  # noqa: S311 - jitter
    generations = _join(config, catalogue, clock, state, client, window, gate)
    return Jobs(
        generations=generations,
        batches=Batches(generations),
        recovery=Recovery(generations, state.custody, clock),
        ledger=state.ledger,
        batch_results=state.batch_results,
        previews=Previews(),
        custody=state.custody,
        client=client,
        presence=state.presence,
        database=state.database,
        documents=documents,
        refresher=Refresher(config, refreshed_path(config), lambda: Market(client)),
    )


def _open_state(config: Config, clock: Clock) -> _State:
    database = Database(config.ledger_path, clock)
    presence = Presence(database.path.parent / "processes")
    secrets, account = config.secrets(), config.account_mark()
    return _State(
        database=database,
        presence=presence,
        ledger=TaskLedger(database, clock, secrets, owner=presence.id, account=account),
        custody=Custody(database, clock, presence, account),
        uploads=UploadLedger(database, clock, secrets),
        batch_results=BatchResults(database, clock, _new_name, secrets),
    )


def _join(
    config: Config,
    catalogue: Catalogue,
    clock: Clock,
    state: _State,
    client: KieClient,
    window: RateWindow,
    gate: PollGate,
) -> Generations:
    downloader, outputs, ledger = Downloader(config), Outputs(config), state.ledger
    uploads = Uploads(config, client, downloader, state.uploads)
    watcher = Watcher(client, ledger, gate.backlog)
    return Generations(
        config=config,
        catalogue=catalogue,
        ledger=ledger,
        outputs=outputs,
        sources=Sources(config, client, downloader, ledger, watcher, uploads),
        submitter=Submitter(config, client, ledger, window),
        watcher=watcher,
        saver=Saver(outputs, client, downloader, ledger, state.custody, _new_name),
        unattended=Unattended(clock),
    )


def _new_name() -> str:
    return uuid.uuid4().hex
