"""Picture files: where they go, what they are called, and how they are written whole."""

from kie_mcp.files.data_urls import is_data_url
from kie_mcp.files.local import LocalPicture, local_picture
from kie_mcp.files.paths import is_file_url
from kie_mcp.files.saving import SavedPicture, save_picture
from kie_mcp.files.sniff import PictureType, dimensions, sniff
from kie_mcp.files.target import Outputs, Target
from kie_mcp.files.whole import is_whole

__all__ = [
    "LocalPicture",
    "Outputs",
    "PictureType",
    "SavedPicture",
    "Target",
    "dimensions",
    "is_data_url",
    "is_file_url",
    "is_whole",
    "local_picture",
    "save_picture",
    "sniff",
]
