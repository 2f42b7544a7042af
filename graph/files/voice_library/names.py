"""Names in the library: what is one, how one is made of a title, and which one was meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from voicegraph.schemas.voice_library import NAME

from ...errors import Problem

PREFIX = "library:"
"""Before a name: the voice of the library, even if there is a file of that name."""
LONGEST = 63
"""Characters of a name."""
_NAME = re.compile(NAME)
_NUMBER = re.compile(r"[0-9]+(e-?[0-9]+)?|0x[0-9a-f]+|0o[0-7]+", re.ASCII)
_WORDS = frozenset({"null", "true", "false", "required"})
_WINDOWS = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]")


def is_name(text: str) -> bool:
    """Whether a text can be the name of a voice."""
    return _fault(text) is None


def name_problem(text: str) -> Problem | None:
    """Why a text cannot be the name of a voice; None if it can.

    A name is letters and digits of any script, ``_`` and ``-``, in lower case, 63 at most, so that
    it is the same on every file system, in a YAML file and in an address.
    """
    if (why := _fault(text)) is None:
        return None
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return Problem("bad-name", f"{shown!r} cannot be the name of a voice: {why}", fix=slug(text))


def _fault(text: str) -> str | None:
    """Why a text is no name, as the end of a sentence."""
    if _NAME.fullmatch(text) is None or _plain(text) != text:
        return (
            "a name is made of letters, digits, _ and -, in lower case, begins with a letter or "
            f"digit, and has {LONGEST} characters at most"
        )
    if _NUMBER.fullmatch(text) or text in _WORDS:
        return "YAML or a pipeline file would read something else than a name"
    if _WINDOWS.fullmatch(text):
        return "Windows allows no folder of that name"
    if text in _shipped_names():
        return "the pipelines that come along have a folder of that name"
    return None


def plain_name(text: str) -> str | None:
    """The name that a text refers to, ``library:`` removed; None if it can be no name."""
    name = unicodedata.normalize("NFC", text.removeprefix(PREFIX))
    return name if is_name(name) else None


def slug(title: str) -> str:
    """A name made of any text, such as a title or the name of a file."""
    text = _plain(unicodedata.normalize("NFKC", title))
    found = re.sub(r"[^\w]+|_{2,}", "-", text).strip("-_")[:LONGEST].rstrip("-_")
    if not found or _NUMBER.fullmatch(found):
        found = f"voice-{found}".rstrip("-")
    return found if is_name(found) else f"{found[: LONGEST - 6]}-voice"


def near(name: str, known: Iterable[str]) -> list[str]:
    """The names that were probably meant, the nearest first."""
    names = list(known)
    return difflib.get_close_matches(_plain(name), names, 3, 0.5)


def _plain(text: str) -> str:
    """Lower case in the form that file systems keep: NFC, also after folding."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


@cache
def _shipped_names() -> frozenset[str]:
    """Entries beside the pipelines that come along, where relative file names are looked for."""
    folder = Path(str(files("voicegraph.pipelines")))
    return frozenset(path.name for path in folder.iterdir())
