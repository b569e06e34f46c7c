"""What the image models accept, and how a caller's wish becomes a model's own input."""

from kie_mcp.catalogue.catalogue import Catalogue
from kie_mcp.catalogue.model import Model
from kie_mcp.catalogue.pictures import InputPicture
from kie_mcp.catalogue.planning import Plan, Wish
from kie_mcp.catalogue.price import USD_PER_CREDIT, usd
from kie_mcp.catalogue.problems import Problem
from kie_mcp.catalogue.suggest import did_you_mean

__all__ = ["USD_PER_CREDIT", "Catalogue", "InputPicture", "Model", "Plan", "Problem", "Wish", "did_you_mean", "usd"]
