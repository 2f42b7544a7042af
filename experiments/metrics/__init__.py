"""Metrics, one family a file: numbers made of what observers keep.

An experiment asks for a family, with its params, or for one metric that a function computes. To add
a shipped family: its file, its line in ``BUILTIN`` and its test.
"""

from __future__ import annotations

from ._asking import ask, missing
from ._table import BUILTIN, find, names

__all__ = ["BUILTIN", "ask", "find", "missing", "names"]
