"""Observers, one a file: each hears a sound and keeps arrays, from which metrics are made.

Experiments name them by text, ``name`` or ``name{params as JSON}``. To add a shipped one: its file,
its line in ``BUILTIN`` and its test.
"""

from __future__ import annotations

from ._hearing import hear, missing, parse, spell
from ._table import BUILTIN, find, names

__all__ = ["BUILTIN", "find", "hear", "missing", "names", "parse", "spell"]
