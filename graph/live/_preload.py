"""Imports packages that nodes use, before the engine of a live session runs.

A node that is swapped in later would import them beside the engine. The largest load libraries of
tens of megabytes, and hold the interpreter lock for a tenth of a second: two to three blocks.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

from ..startup_stages import begin_stage

PACKAGES = ("scipy.signal", "scipy.fft", "faiss", "pyworld")
"""Those of bundled nodes. Imports for nodes of one's own wait for the engine, piece by piece."""


def preload_packages() -> None:
    """Imports the packages that are installed."""
    begin_stage("importing packages of nodes that may be swapped in")
    for name in PACKAGES:
        with suppress(ImportError):
            importlib.import_module(name)
