"""Picture files: where they go, what they are called, and how they are written whole."""

from kie_mcp.files.data_urls import is_data_url
from kie_mcp.files.local import LocalPicture, local_picture
from kie_mcp.files.naming import picture_stem
from kie_mcp.files.paths import is_file_url
from kie_mcp.files.placing import Journal, Placing, SavedPicture, finish_placing, is_part, remove_part
from kie_mcp.files.saving import save_picture
from kie_mcp.files.sniff import PictureType, dimensions, sniff
from kie_mcp.files.target import Outputs, Target
from kie_mcp.files.whole import is_whole

__all__ = [
    "Journal",
    "LocalPicture",
    "Outputs",
    "PictureType",
    "Placing",
    "SavedPicture",
    "Target",
    "dimensions",
    "finish_placing",
    "is_data_url",
    "is_file_url",
    "is_part",
    "is_whole",
    "local_picture",
    "picture_stem",
    "remove_part",
    "save_picture",
    "sniff",
]
