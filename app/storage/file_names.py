"""Names of files that clients send: shown to people, put into archives, never used as paths."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from voicegraph.graph.terminal_text import printable

_LONGEST_PART = 100
"""Characters of a file's or folder's name; 255 bytes are allowed everywhere."""
_DEEPEST = 8
"""Folders of an uploaded file that are kept, the innermost ones."""
_LONGEST_SUFFIX = 6
_SUFFIX = re.compile(r"\.[a-z0-9]+", re.ASCII)
_DRIVE = re.compile(r"\A[A-Za-z]:")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE
)
_UNNAMED = "unnamed"
_LONGEST_NAME = 64
_NAME = re.compile(r"\w[\w .,()+'&-]*")


def shown_name(sent: str) -> str:
    r"""A client's name of a file for people: folders with ``/``, no ``..``, no control characters.

    Args:
        sent: what the client sent, such as ``album/01 intro.wav`` or ``C:\\music\\a.wav``.
    """
    text = _DRIVE.sub("", unicodedata.normalize("NFC", sent.replace("\\", "/")))
    parts = [_shown_part(part) for part in text.split("/")]
    kept = [part for part in parts if part not in ("", ".", "..")]
    return "/".join(kept[-_DEEPEST:]) or _UNNAMED


def _shown_part(part: str) -> str:
    text = "".join(char for char in part if printable(char) == char).strip()
    if len(text) <= _LONGEST_PART:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > _LONGEST_SUFFIX:
        return text[:_LONGEST_PART]
    return f"{stem[: _LONGEST_PART - len(ending) - 1]}.{ending}"


def stored_suffix(shown: str, allowed: Iterable[str]) -> str:
    """The ending that a stored file may keep: one of ``allowed``, in lower case; else none."""
    suffix = PurePosixPath(shown).suffix.lower()
    return suffix if suffix in set(allowed) and _SUFFIX.fullmatch(suffix) else ""


def archive_names(shown: Iterable[str]) -> list[str]:
    """Names for files in an archive: possible on every system, and different from each other.

    Args:
        shown: names as :func:`shown_name` gives them.
    """
    taken: set[str] = set()
    found: list[str] = []
    for name in shown:
        parts = [_portable(part) for part in name.split("/")]
        whole, count = "/".join(parts), 1
        while whole.casefold() in taken:
            count += 1
            path = PurePosixPath(*parts)
            whole = str(path.with_name(f"{path.stem} ({count}){path.suffix}"))
        taken.add(whole.casefold())
        found.append(whole)
    return found


def _portable(part: str) -> str:
    text = _NOT_ON_WINDOWS.sub("_", part).rstrip(". ").lstrip() or _UNNAMED
    return f"_{text}" if _RESERVED.fullmatch(text) else text


def name_fault(name: str) -> str | None:
    """Why a name that a user gives something is not allowed; None if it is.

    Allowed names are those of files on every system, and need no quoting in lists and addresses.
    """
    if name != unicodedata.normalize("NFC", name) or _NAME.fullmatch(name) is None:
        return "a name is made of letters, digits, spaces and _ - . , ( ) + ' &"
    if len(name) > _LONGEST_NAME:
        return f"a name has {_LONGEST_NAME} characters at most"
    if name[-1] in ". ":
        return "a name does not end in a dot or a space"
    if _RESERVED.fullmatch(name):
        return "Windows keeps this name for a device"
    return None
