"""What every test may have."""

from __future__ import annotations

import pytest

from kie_mcp.catalogue import Catalogue


@pytest.fixture(scope="session")
def catalogue():
    """The bundled models."""
    return Catalogue.load()
