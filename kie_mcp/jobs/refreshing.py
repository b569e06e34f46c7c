"""Reading Kie's live catalogue into the state folder: all of it is read and checked before anything changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.checking import ModelFileCheck
from kie_mcp.catalogue.conventions import is_of_a_film
from kie_mcp.catalogue.deriving import model_file, shape
from kie_mcp.catalogue.live import entries
from kie_mcp.catalogue.refreshed import bundled_files, fault_of, read, write
from kie_mcp.catalogue.sanitising import OtherEndpointError, UnusableSchemaError, clean_input
from kie_mcp.errors import InputError, ServerError, UnclearAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kie_mcp.catalogue.live import Entry
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.kie.market import Market

_NEXT_STEP = "Try again later; the models are as they were."


@dataclass(frozen=True)
class Refreshed:
    """What a refresh has found: ids of models, and for each that was ``skipped`` the reason.

    ``asked`` is how many schemas were asked for; ``unchanged`` is a number, too. ``gone`` are the models that were
    known and that Kie no longer lists.
    """

    asked: int
    updated: tuple[str, ...]
    new: tuple[str, ...]
    unchanged: int
    skipped: Mapping[str, str]
    gone: tuple[str, ...]


class Refresher:
    """Refreshes the models in the file at ``path``; ``open_market`` begins one reading of Kie's catalogue."""

    def __init__(
        self, config: Config, path: Path, open_market: Callable[[], Market], *, folder: str | None = None
    ) -> None:
        self._config = config
        self._path = path
        self._open_market = open_market
        self._folder = folder

    def refresh(self, context: CallContext) -> Refreshed:
        """Ask Kie for its models and each one's schema, about one a second, and write what it says.

        Raises ``ConfigError`` without a key or a place to write, else the error of the request that failed, or
        ``UnclearAnswerError`` for answers that make no sense. After an error nothing has changed.
        """
        self._config.require_key()
        bundled = bundled_files(self._folder)
        earlier = read(self._path, self._folder)
        market, now = self._open_market(), context.clock.now()
        listed = _listed(market, context, bundled)
        reading = _Reading(bundled, earlier, f"Kie's catalogue API (as of {_day(now)})")
        for done, entry in enumerate(listed):
            context.progress(done, len(listed), f"reading {entry.id}")
            reading.ask(market, entry, context)
            reading.require_sense(sum(entry.id in bundled for entry in listed))
        context.raise_if_cancelled()
        write(self._path, reading.made.values(), now)
        return reading.summary(listed)


def _day(time: float) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).date().isoformat()


def _listed(market: Market, context: CallContext, bundled: Mapping[str, Any]) -> list[Entry]:
    """The models to ask for. Raises ``UnclearAnswerError`` where the list has no model that is known here."""
    context.progress(0, None, "reading the list of models")
    listed = entries(market.models(context), bundled)
    if not any(entry.id in bundled for entry in listed):
        raise UnclearAnswerError(
            "Kie's list of models names none that is known here; nothing was changed.", next_step=_NEXT_STEP
        )
    return listed


@dataclass(frozen=True)
class _Reading:
    """The schemas as they come in. ``made`` is what will be written, ``others`` are no image models."""

    bundled: Mapping[str, dict[str, Any]]
    earlier: Mapping[str, dict[str, Any]]
    source: str
    check: ModelFileCheck = field(default_factory=ModelFileCheck)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def ask(self, market: Market, entry: Entry, context: CallContext) -> None:
        """Make a model of what Kie says of ``entry``; where that cannot be, it stays as it was."""
        try:
            self._take(entry, market.schema(entry.id, context))
        except (InputError, ServerError) as error:  # of this model alone: Kie does not know it, or stumbles over it
            self._skip(entry.id, error.message)
        except OtherEndpointError as error:
            if entry.id in self.bundled:
                self._skip(entry.id, str(error))
            else:
                self.others.add(entry.id)
        except UnusableSchemaError as error:
            self._skip(entry.id, str(error))

    def _take(self, entry: Entry, data: Any) -> None:
        if not isinstance(data, dict) or data.get("model") != entry.id:
            raise UnusableSchemaError("Kie's answer does not name it")
        base = self.bundled.get(entry.id)
        live = clean_input(data.get("openapi"))
        if base is None and any(is_of_a_film(name) for name in live["properties"]):
            raise OtherEndpointError("it makes no pictures")
        made = model_file(entry, live, base, self.source)
        fault = fault_of(made, base, self.check)
        if fault is not None:
            raise UnusableSchemaError(fault)
        self.made[entry.id] = made

    def _skip(self, model_id: str, reason: str) -> None:
        self.skipped[model_id] = reason
        if model_id in self.earlier:
            self.made[model_id] = self.earlier[model_id]

    def require_sense(self, known: int) -> None:
        """Raise ``UnclearAnswerError`` once more than half of the ``known`` models cannot be read."""
        unusable = {model_id: reason for model_id, reason in self.skipped.items() if model_id in self.bundled}
        if len(unusable) * 2 > known:
            model_id, reason = next(iter(unusable.items()))
            raise UnclearAnswerError(
                f"Kie's catalogue cannot be used, so nothing was changed. E.g. {model_id}: {reason.rstrip('.')}.",
                next_step=_NEXT_STEP,
            )

    def summary(self, listed: list[Entry]) -> Refreshed:
        """What has come of it."""
        before = {**self.bundled, **self.earlier}
        read = [model_id for model_id in self.made if model_id not in self.skipped]
        old = [model_id for model_id in read if model_id in before]
        updated = [name for name in old if shape(self.made[name]["input"]) != shape(before[name]["input"])]
        return Refreshed(
            asked=len(listed),
            updated=tuple(sorted(updated)),
            new=tuple(sorted(set(read) - set(before))),
            unchanged=len(old) - len(updated),
            skipped=dict(sorted(self.skipped.items())),
            gone=tuple(sorted(set(before) - {entry.id for entry in listed})),
        )
