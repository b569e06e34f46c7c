"""Where a picture is going to be shown, and the shapes that look right there (``schemas/platforms.json``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kie_mcp.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Platform:
    """One place: ``aspect_ratios`` has the preferred shape first."""

    name: str
    title: str
    aspect_ratios: tuple[str, ...]


class Platforms:
    """The known platforms, found by name however it is written: ``Instagram Story`` is ``instagram-story``."""

    def __init__(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            self._known = {
                name: Platform(name, entry["title"], tuple(entry["aspect_ratios"])) for name, entry in data.items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"The bundled file platforms.json does not describe platforms: {error!r}") from error

    def names(self) -> list[str]:
        """The known names, sorted."""
        return sorted(self._known)

    def find(self, name: str) -> Platform | None:
        """The platform of that name, or ``None``."""
        return self._known.get("-".join(name.lower().replace("_", " ").split()))
