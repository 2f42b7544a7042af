"""Packages that speak and that listen, which are no part of any extra: brought when needed."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

TO_SPEAK, TO_LISTEN = "training/packages.txt", "training/evaluate/packages.txt"
"""Where they are named, by version and checksum."""


def package(name: str, listed: str) -> Any:
    """A package, imported.

    Args:
        name: of the module.
        listed: the file that names it.

    Raises:
        SystemExit: with what to type, if it is not installed.
    """
    try:
        with warnings.catch_warnings():  # resemblyzer takes an old name of SciPy's
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module(name)
    except ImportError as error:
        raise _missing(f"{name} cannot be imported ({error})", listed) from None


def folder(name: str, listed: str) -> Path:
    """Where the files of a package lie, of which nothing is run.

    Raises:
        SystemExit: with what to type, if it is not installed.
    """
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise _missing(f"{name} is not installed", listed)
    return Path(found.submodule_search_locations[0])


def install(listed: str) -> str:
    """What to type."""
    return f"pip install --no-deps --require-hashes -r {listed}"


def _missing(what: str, listed: str) -> SystemExit:
    return SystemExit(f"{what}\n  fix: {install(listed)}")
