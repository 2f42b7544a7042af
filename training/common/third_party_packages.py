"""Third-party packages outside the extras: text-to-speech and speech metrics."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

TTS_PACKAGES, METRIC_PACKAGES = "training/packages.txt", "training/evaluate/packages.txt"
"""Files that list them by version and checksum."""


def import_package(name: str, listed: str) -> Any:
    """Imports a package.

    Args:
        name: of the module.
        listed: the file that lists its package.

    Raises:
        SystemExit: with the command to type, if it is not installed.
    """
    try:
        with warnings.catch_warnings():  # resemblyzer uses a deprecated name of SciPy
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module(name)
    except ImportError as error:
        raise _missing(f"{name} cannot be imported ({error})", listed) from None


def package_folder(name: str, listed: str) -> Path:
    """The folder of a package, without importing it.

    Raises:
        SystemExit: with the command to type, if it is not installed.
    """
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise _missing(f"{name} is not installed", listed)
    return Path(found.submodule_search_locations[0])


def install(listed: str) -> str:
    """The command that installs the listed packages."""
    return f"pip install --no-deps --require-hashes -r {listed}"


def _missing(what: str, listed: str) -> SystemExit:
    return SystemExit(f"{what}\n  fix: {install(listed)}")
