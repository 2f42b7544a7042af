"""Comparison of two pipelines on the same input: how far apart they are, where, and at what cost.

API: ``compare``, ``Comparison`` and ``Clip``; ``limits`` holds the conditions of acceptance.
"""

from .clips import Clip
from .comparison import Comparison, compare

__all__ = ["Clip", "Comparison", "compare"]
