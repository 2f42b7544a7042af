"""Pipelines and plans: what people load, compile and open sessions of.

API: ``Pipeline``, ``Plan`` and ``node``.
"""

from ._pipeline import Pipeline, node
from ._plan import Plan

__all__ = ["Pipeline", "Plan", "node"]
