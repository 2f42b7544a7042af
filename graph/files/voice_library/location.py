"""Where the library lies: in the user's data folder, or the one that VOICEGRAPH_DATA names."""

from __future__ import annotations

from pathlib import Path

from ..user_folders import data_folder

CARD = "card.json"
"""The card of a voice, in its folder. What has no card is not in the library."""


def library_folder() -> Path:
    """The folder of the library, with one folder for each voice, encoder and pitch model.

    It need not exist: ``~/.local/share/voicegraph/voices`` on Linux.
    """
    return data_folder() / "voices"
