"""All models that this installation knows, and the way from a wish to an input."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kie_mcp import schemas
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.planning import plan_known, plan_unknown
from kie_mcp.catalogue.platforms import Platforms
from kie_mcp.catalogue.search import found
from kie_mcp.catalogue.suggest import nearest_ids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kie_mcp.catalogue.planning import Plan, Wish
    from kie_mcp.catalogue.platforms import Platform
    from kie_mcp.config import Config


def refreshed_path(config: Config) -> Path:
    """The file of the models that were refreshed; those of an API on this machine have one of their own.

    Raises ``ConfigError`` where the state folder is not known.
    """
    return config.state_file("catalogue", "json")


class Catalogue:
    """The known models and platforms. Never changes once made, so any thread may use it."""

    def __init__(self, models: Iterable[Model], platforms: Platforms) -> None:
        self._models = {model.id: model for model in sorted(models, key=lambda model: model.id)}
        self._by_lower = {model_id.lower(): model_id for model_id in self._models}
        self._platforms = platforms

    @classmethod
    def load(cls, folder: str | None = None, refreshed: Path | None = None) -> Catalogue:
        """Read every file of ``models/`` and ``platforms.json`` below ``folder`` (default: the bundled ones).

        What ``refreshed`` (a file that may be missing) has of Kie's own catalogue is laid over it, where it is newer.
        Raises ``BundleError`` where a bundled file is missing or has not the right form.
        """
        files = schemas.names("models", folder)
        bundled = [Model.from_json(schemas.load(name, folder), name) for name in files]
        models = {model.id: model for model in bundled}
        models.update(_refreshed(refreshed, folder))
        return cls(models.values(), Platforms(schemas.load("platforms.json", folder)))

    def find(self, model_id: str) -> Model | None:
        """The model of this id, compared without regard to case and surrounding spaces."""
        return self._models.get(model_id) or self._models.get(self._by_lower.get(model_id.strip().lower(), ""))

    def nearest(self, model_id: str, count: int = 3, *, with_pictures: bool = False) -> list[str]:
        """The known ids that ``model_id`` may stand for, best first.

        Models that work on what the caller has come first: on a prompt, or ``with_pictures`` on pictures.
        """
        likely = [
            model.id
            for model in self._models.values()
            if (model.image_field is not None if with_pictures else model.works_on_a_prompt)
        ]
        return nearest_ids(model_id, self._models, count, likely)

    def search(self, query: str | None = None, kind: str | None = None) -> list[Model]:
        """The models, sorted by id, that are of ``kind`` and have every word of ``query``; see ``catalogue.search``."""
        of_kind = [model for model in self._models.values() if kind in (None, model.kind)]
        return found(of_kind, (query or "").lower().split())

    def kinds(self) -> list[str]:
        """The kinds of model there are, e.g. ``text-to-image``; sorted."""
        return sorted({model.kind for model in self._models.values()})

    def platform_names(self) -> list[str]:
        """The platforms that set an aspect ratio; sorted."""
        return self._platforms.names()

    def platforms(self) -> list[Platform]:
        """The platforms of those names, in that order."""
        return [platform for name in self._platforms.names() if (platform := self._platforms.find(name))]

    def plan(self, wish: Wish) -> Plan:
        """Turn a wish into the model's own input.

        Raises ``InputError`` for what the model cannot do. An unknown id is passed through with a warning.
        """
        model = self.find(wish.model)
        if model is None:
            return plan_unknown(wish, self.nearest(wish.model, with_pictures=bool(wish.image_input)))
        return plan_known(model, wish, self._platforms, list(self._models.values()))


def _refreshed(path: Path | None, folder: str | None) -> dict[str, Model]:
    """What Kie's own catalogue has said; its check is slow to load, so only where there is anything."""
    if path is None or not os.path.lexists(path):
        return {}
    from kie_mcp.catalogue.refreshed import read

    return {model_id: Model.from_json(made, str(path)) for model_id, (_, made) in read(path, folder).items()}
