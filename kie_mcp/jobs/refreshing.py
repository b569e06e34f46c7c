"""Reading Kie's live catalogue into the state folder: all of it is read and checked before anything changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.catalogue.deriving import shape
from kie_mcp.catalogue.live import MOST_MODELS, UnusableError, entries
from kie_mcp.catalogue.refreshed import Saying, bundled_at, bundled_files, read, write
from kie_mcp.catalogue.sanitising import clean_input
from kie_mcp.errors import ConfigError, InputError, NetworkError, ServerError, UnclearAnswerError
from kie_mcp.log import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from kie_mcp.catalogue.live import Entry
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.kie.market import Market


@dataclass(frozen=True)
class Refreshed:
    """What a refresh has found: ids of models, and the reasons for those that could not be used.

    ``asked`` is how many schemas were asked for; ``unchanged`` is a number, too. The ``skipped`` stay as they were,
    and so do the ``gone``, which Kie no longer lists; the ``not_taken`` would have been new.
    """

    asked: int
    updated: tuple[str, ...]
    new: tuple[str, ...]
    unchanged: int
    skipped: Mapping[str, str]
    not_taken: Mapping[str, str]
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

        Raises ``ConfigError`` without a key, a place to write or the right time, else the error of the request that
        failed, or ``UnclearAnswerError`` for answers that make no sense. After an error nothing has changed.
        """
        self._config.require_key()
        now = context.clock.now()
        _require_a_date_after(bundled_at(self._folder), now)
        bundled, earlier = bundled_files(self._folder), read(self._path, self._folder)
        before = {**bundled, **{model_id: made for model_id, (_, made) in earlier.items()}}
        market = self._open_market()
        listed = self._listed(market, context, bundled)
        made: dict[str, tuple[Saying, dict[str, Any]]] = {}
        unusable: dict[str, str] = {}
        for done, entry in enumerate(listed):
            context.progress(done, len(listed), f"reading {entry.id}")
            try:
                saying = Saying(entry, _inputs(market.schema(entry.id, context), entry))
                made[entry.id] = saying, saying.model(bundled)
            except (InputError, NetworkError, ServerError) as error:  # of this model alone
                unusable[entry.id] = error.message
            except UnusableError as error:
                unusable[entry.id] = str(error)
            _require_sense(unusable, bundled, listed)
        context.raise_if_cancelled()
        kept = {**made, **{model_id: found for model_id, found in earlier.items() if model_id not in made}}
        write(self._path, [saying for saying, _ in kept.values()][:MOST_MODELS], now, self._config.secrets())
        return _summary(listed, {name: model for name, (_, model) in made.items()}, unusable, before)

    def _listed(self, market: Market, context: CallContext, bundled: Collection[str]) -> list[Entry]:
        """The models to ask for. Raises ``UnclearAnswerError`` where Kie's list makes no sense."""
        context.progress(0, None, "reading the list of models")
        try:
            listed = entries(market.models(context), bundled)
        except UnusableError as error:
            raise _senseless(str(error)) from error
        return [entry for entry in listed if redact(entry.id, self._config.secrets()) == entry.id]


def _require_a_date_after(time: float, now: float) -> None:
    """What is read now would count as older than the bundled models, and not be used."""
    if now <= time:
        today, day = (dt.datetime.fromtimestamp(moment, dt.UTC).date() for moment in (max(0, now), time))
        raise ConfigError(
            f"This system's date, {today}, is wrong: the models that came with this program are of {day}.",
            next_step="Set the system's clock, then refresh again.",
        )


def _inputs(data: Any, entry: Entry) -> dict[str, Any]:
    """The cleaned inputs in the answer for a model's schema. Raises ``UnusableError``."""
    if not isinstance(data, dict) or data.get("model") != entry.id:
        raise UnusableError("Kie's answer does not name it")
    return clean_input(data.get("openapi"))


def _require_sense(unusable: Mapping[str, str], bundled: Collection[str], listed: list[Entry]) -> None:
    """Raise ``UnclearAnswerError`` once more than half of the known models cannot be read."""
    known = [model_id for model_id in unusable if model_id in bundled]
    if len(known) * 2 > sum(entry.id in bundled for entry in listed):
        raise _senseless(f"e.g. {known[0]}: {unusable[known[0]].rstrip('.')}")


def _senseless(reason: str) -> UnclearAnswerError:
    return UnclearAnswerError(
        f"Kie's catalogue cannot be used, so nothing was changed: {reason}.",
        next_step="Try again later; the models are as they were.",
    )


def _summary(
    listed: list[Entry], made: Mapping[str, Any], unusable: Mapping[str, str], before: Mapping[str, Any]
) -> Refreshed:
    old = [model_id for model_id in made if model_id in before]
    updated = [model_id for model_id in old if shape(made[model_id]) != shape(before[model_id])]
    return Refreshed(
        asked=len(listed),
        updated=tuple(sorted(updated)),
        new=tuple(sorted(set(made) - set(before))),
        unchanged=len(old) - len(updated),
        skipped={name: reason for name, reason in sorted(unusable.items()) if name in before},
        not_taken={name: reason for name, reason in sorted(unusable.items()) if name not in before},
        gone=tuple(sorted(set(before) - {entry.id for entry in listed})),
    )
