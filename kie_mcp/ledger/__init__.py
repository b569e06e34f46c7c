"""The ledger: every task and its files, the uploads, and the rate window that all processes share."""

from kie_mcp.ledger.custody import Custody, Unsaved
from kie_mcp.ledger.database import Database
from kie_mcp.ledger.presence import Presence
from kie_mcp.ledger.rows import SavedFile, TaskRow
from kie_mcp.ledger.tasks import TaskLedger
from kie_mcp.ledger.uploads import UploadLedger
from kie_mcp.ledger.window import RateWindow

__all__ = [
    "Custody",
    "Database",
    "Presence",
    "RateWindow",
    "SavedFile",
    "TaskLedger",
    "TaskRow",
    "Unsaved",
    "UploadLedger",
]
