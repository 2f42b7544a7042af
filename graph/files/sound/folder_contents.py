"""Tells which files of a folder are sound, by their first bytes, then by their extensions."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path

from ...errors import InputError
from ._magic import begins_as_readable, recognise
from ._open_file import not_audio
from .formats import CONVERTIBLE, READABLE


class Content(Enum):
    """What a file in a folder is."""

    SOUND = auto()
    """Sound that can be read."""
    CONVERTIBLE = auto()
    """Sound, or a video with sound, that another program has to convert first."""
    OTHER = auto()
    """Anything else; also what cannot be opened."""


def content_of(path: Path) -> Content:
    """What a file is.

    A file with the extension of a readable format counts as sound, whatever it holds, so that a
    broken one is not passed over.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in READABLE or begins_as_readable(path):
            return Content.SOUND
        found = recognise(path)
    except OSError:
        return Content.SOUND if suffix in READABLE else Content.OTHER
    if suffix in CONVERTIBLE:
        return Content.CONVERTIBLE
    if found is not None and found.sound and found.certain:
        return Content.CONVERTIBLE
    return Content.OTHER


def unreadable(path: Path) -> InputError:
    """The error for a file that another program has to convert first; it says how."""
    return InputError(not_audio(path))
