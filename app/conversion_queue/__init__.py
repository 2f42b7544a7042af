"""Conversion of uploaded files: each job is a folder, and converted by a process of its own.

:class:`JobStore` keeps the folders, :class:`JobRunner` starts one process at a time; what it runs
is ``worker.py``, the engine of ``voicegraph run`` at low priority. Only the worker needs torch.
"""

from .job_folder import JobFolder, is_job_id
from .job_store import JobLimits, JobStore, NewJob
from .runner import JobRunner

__all__ = ["JobFolder", "JobLimits", "JobRunner", "JobStore", "NewJob", "is_job_id"]
