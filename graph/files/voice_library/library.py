"""What is in the library: entries by name, read off their cards at every call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicegraph.schemas.voice_library import LibraryCard

from ...errors import InputError, Problem
from ...regular_file import open_regular
from .bundled import bundled_card, bundled_files
from .location import CARD, library_folder
from .names import PREFIX, is_name, near, plain_name

_LONGEST_CARD = 1 << 20


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A voice, encoder or pitch model of the library.

    Attributes:
        name: its name.
        card: what is known of it.
        folder: the folder of its files.
        bundled: whether it comes with voicegraph.
    """

    name: str
    card: LibraryCard
    folder: Path
    bundled: bool = False

    @property
    def model_file(self) -> Path:
        """The voice, encoder or pitch model itself."""
        return self.folder / self.card.model.file

    @property
    def index_file(self) -> Path | None:
        """The index of a voice; None if it has none in a file of its own."""
        return None if self.card.index is None else self.folder / self.card.index.file

    @property
    def picture_file(self) -> Path | None:
        """The picture of a voice; None without one."""
        return None if self.card.picture is None else self.folder / self.card.picture.file


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder of the library whose card cannot be used.

    Attributes:
        name: of the folder.
        problem: why, and what to type.
    """

    name: str
    problem: Problem


def entries() -> dict[str, LibraryEntry]:
    """Everything in the library that can be read, bundled voices too: name -> entry, by name."""
    found = {name: _bundled(name, path) for name, path in bundled_files().items()}
    for name in _folders():
        entry = _read(name)
        if isinstance(entry, LibraryEntry):
            found[name] = entry
    return dict(sorted(found.items()))


def unreadable() -> list[Unreadable]:
    """What is in the library's folder and cannot be used, by name."""
    return [entry for name in _folders() if isinstance(entry := _read(name), Unreadable)]


def find(name: str) -> LibraryEntry | None:
    """The entry of a name, with or without ``library:`` before it; None if there is none.

    Raises:
        InputError: if its card cannot be read.
    """
    plain = plain_name(name)
    if plain is None:
        return None
    if (path := bundled_files().get(plain)) is not None:
        return _bundled(plain, path)
    if not (library_folder() / plain / CARD).is_file():
        return None
    entry = _read(plain)
    if isinstance(entry, Unreadable):
        raise InputError(entry.problem)
    return entry


def require(name: str) -> LibraryEntry:
    """As :func:`find`, for a name that must be there.

    Raises:
        InputError: if the library has no such name, or its card cannot be read.
    """
    if (entry := find(name)) is not None:
        return entry
    known = list(entries())
    wanted = name.removeprefix(PREFIX)
    close = near(wanted, known)
    listed = ", ".join([*close, *(other for other in known if other not in close)])
    text = f"the library has no voice called {wanted[:80]!r}; it has: {listed}"
    prefix = PREFIX if name.startswith(PREFIX) else ""
    fix = f"{prefix}{close[0]}" if close else "voicegraph voice list"
    raise InputError(Problem("unknown-voice", text, fix=fix))


def known_names() -> list[str]:
    """The names of everything in the library, without reading cards."""
    return sorted({*bundled_files(), *_folders()})


def _bundled(name: str, path: Path) -> LibraryEntry:
    return LibraryEntry(name, bundled_card(path), path.parent, bundled=True)


def _folders() -> list[str]:
    """Names of folders with a card. What is being added or removed has none."""
    folder = library_folder()
    try:
        listed = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [name for name in listed if is_name(name) and (folder / name / CARD).is_file()]


def _read(name: str) -> LibraryEntry | Unreadable | None:
    """The entry of a folder; None if it has been removed meanwhile."""
    folder = library_folder() / name
    try:
        with open_regular(folder / CARD) as file:
            text = file.read(_LONGEST_CARD)
        card = LibraryCard.model_validate_json(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unreadable(name, folder, error.strerror or str(error))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return _unreadable(name, folder, f"{place}: {first['msg']}" if place else first["msg"])
    if card.name != name:
        return _unreadable(name, folder, f"it calls itself {card.name!r}")
    return LibraryEntry(name, card, folder / card.generation)


def _unreadable(name: str, folder: Path, why: str) -> Unreadable:
    text = f"{folder / CARD} cannot be read: {why}"
    fix = f"pip install --upgrade voicegraph, or add it again: voicegraph voice remove {name}"
    return Unreadable(name, Problem("unreadable-card", text, fix=fix))
