"""Values that a pipeline takes from the library of voices, for ``explain`` and messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LibraryValue:
    """A value that a pipeline left open, and the card of its voice gives.

    Attributes:
        path: dotted path of the value.
        value: what was taken; files of the library are ``library:NAME``.
        instead: what the pipeline has there.
        voice: the voice whose card it is.
        why: what it is, and how it was chosen, as the end of a sentence.
    """

    path: str
    value: Any
    instead: Any
    voice: str
    why: str
