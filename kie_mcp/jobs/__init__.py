"""The life of a task: from a request to saved files; the batch; when to poll."""

from kie_mcp.jobs.batch import BatchPlan, Rehearsal
from kie_mcp.jobs.build import Jobs, build_jobs
from kie_mcp.jobs.model import Outcome, Prepared, Request
from kie_mcp.jobs.recovery import News

__all__ = ["BatchPlan", "Jobs", "News", "Outcome", "Prepared", "Rehearsal", "Request", "build_jobs"]
