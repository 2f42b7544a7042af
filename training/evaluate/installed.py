"""Packages that measure, which are no part of any extra: imported when they are needed."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

INSTALL = "pip install --no-deps --require-hashes -r training/evaluate/packages.txt"


def package(name: str) -> Any:
    """A package of ``packages.txt``.

    Raises:
        SystemExit: with what to type, if it is not installed.
    """
    try:
        with warnings.catch_warnings():  # resemblyzer takes an old name of SciPy's
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module(name)
    except ImportError as error:
        raise SystemExit(f"{name} cannot be imported ({error})\n  fix: {INSTALL}") from None
