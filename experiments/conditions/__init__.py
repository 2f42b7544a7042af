"""Conditions, one a file: what happens to a clip before a system gets it, such as noise.

A level of a factor is a condition if its first key names one. To add a shipped one: its file, its
line in ``BUILTIN`` and its test.
"""

from __future__ import annotations

from ._applying import apply, ask, is_condition, missing
from ._table import BUILTIN, find, names

__all__ = ["BUILTIN", "apply", "ask", "find", "is_condition", "missing", "names"]
