"""Where the store lies: the user's cache folder, a folder that was named, or the run's own."""

from __future__ import annotations

from pathlib import Path

IN_RUN = "store"
"""Name of the folder in a run's folder, with ``store: null``."""


def default_store() -> Path:
    """The user's cache folder: ``~/.cache/voicegraph/experiments`` on Linux.

    By the rules of the system: XDG_CACHE_HOME, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%``
    on Windows.
    """
    from platformdirs import user_cache_path

    return user_cache_path("voicegraph", appauthor=False) / "experiments"


def store_path(given: str | Path | None, run_folder: Path) -> Path:
    """The folder that ``store:`` of an experiment names.

    Args:
        given: the value; None keeps the results in the run's folder.
        run_folder: of the run.
    """
    return run_folder / IN_RUN if given is None else Path(given).expanduser().absolute()
