"""The life of a task: from a request to saved files; the batch; when to poll."""

from kie_mcp.jobs.batch import BatchPlan
from kie_mcp.jobs.build import Jobs, build_jobs
from kie_mcp.jobs.model import Outcome, Request

__all__ = ["BatchPlan", "Jobs", "Outcome", "Request", "build_jobs"]
