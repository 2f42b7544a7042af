"""The library of voices, as programs read it: names -> files and cards.

Reads cards only, and opens no model: neither torch nor the network is needed. What is bundled
(``pipelines/voices``) is always there. ``app/voice_library`` adds, merges and removes.
"""

from .items import item_of, library_report, pipelines_of, settings_of
from .library import LibraryEntry, Unreadable, entries, find, known_names, require, unreadable
from .location import CARD, library_folder
from .names import PREFIX, is_name, name_problem, near, plain_name, slug
from .needs import candidates, needs_of

__all__ = [
    "CARD",
    "PREFIX",
    "LibraryEntry",
    "Unreadable",
    "candidates",
    "entries",
    "find",
    "is_name",
    "item_of",
    "known_names",
    "library_folder",
    "library_report",
    "name_problem",
    "near",
    "needs_of",
    "pipelines_of",
    "plain_name",
    "require",
    "settings_of",
    "slug",
    "unreadable",
]
