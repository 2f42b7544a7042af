"""Pipelines and plans: load a pipeline, compile it, open sessions.

API: ``Pipeline``, ``Plan`` and ``node``.
"""

from ._pipeline import Pipeline, node
from ._plan import Plan

__all__ = ["Pipeline", "Plan", "node"]
