"""The Kie AI HTTP API: the envelope, what each status means, retries, uploads and downloads."""

from kie_mcp.kie.client import KieClient, is_task_id
from kie_mcp.kie.download import Downloader
from kie_mcp.kie.status import TaskStatus

__all__ = ["Downloader", "KieClient", "TaskStatus", "is_task_id"]
