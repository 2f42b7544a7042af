"""The folders of the user that voicegraph keeps things in, by the rules of each system."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path, user_state_path

_NAME = "voicegraph"
DATA_VARIABLE = "VOICEGRAPH_DATA"
"""Environment variable that names the folder of voices, presets and takes instead."""
STATE_VARIABLE = "VOICEGRAPH_STATE"
"""Environment variable that names the folder of notes about running programs instead."""


def data_folder() -> Path:
    """What a user would miss: voices, presets, takes, converted files. It may not exist yet.

    ``~/.local/share/voicegraph`` (XDG_DATA_HOME) on Linux, ``~/Library/Application Support`` on
    macOS, ``%LOCALAPPDATA%`` on Windows.
    """
    return _named(DATA_VARIABLE) or user_data_path(_NAME, appauthor=False)


def state_folder() -> Path:
    """What running programs note about themselves: addresses, logs. It may not exist yet.

    ``~/.local/state/voicegraph`` (XDG_STATE_HOME) on Linux, beside the data elsewhere.
    """
    return _named(STATE_VARIABLE) or user_state_path(_NAME, appauthor=False)


def variable_of(path: Path) -> str | None:
    """The variable that names the user's folder in which a file is; None if it is elsewhere."""
    folders = {STATE_VARIABLE: state_folder(), DATA_VARIABLE: data_folder()}
    place = path.absolute()
    return next((name for name, folder in folders.items() if place.is_relative_to(folder)), None)


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None
