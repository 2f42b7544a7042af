"""How the library changes: an entry is there when its card is, and gone when its card is.

Everything is made in a folder of its own beside the entries (``.incoming``), which is renamed into
the folder of the entry before its card is written. So a process that is killed leaves nothing that
is listed; what it left is removed by the next change. One lock orders the changes of all processes;
readers need none.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write, reported_errors, write_text
from voicegraph.graph.files.private_folder import private_folder
from voicegraph.graph.files.voice_library import CARD, LibraryEntry, library_folder, require
from voicegraph.graph.files.voice_library.bundled import bundled_files
from voicegraph.schemas.voice_library import LibraryCard

INCOMING = ".incoming"
"""Folder of what is being made."""
_LOCK = ".lock"
_WAIT_S = 30.0


@contextmanager
def changes() -> Iterator[Path]:
    """Holds the library's lock, and gives its folder, which exists.

    Raises:
        OutputError: if the folder cannot be made, or another program holds the lock for 30 s.
    """
    folder = library_folder()
    try:
        private_folder(folder)
        with FileLock(folder / _LOCK, timeout=_WAIT_S):
            yield folder
    except Timeout:
        text = f"another program has been changing the library for {_WAIT_S:.0f} s: {folder}"
        raise OutputError(Problem("library-busy", text, fix="try again")) from None
    except PermissionError as error:
        raise cannot_write(folder / CARD, error) from None


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder of this process alone, on the disk of the library, which is removed at the end.

    Raises:
        OutputError: as :func:`changes`, and for every error of the system while it is used.
    """
    with changes() as folder:
        _clear(folder)
        place = folder / INCOMING / secrets.token_hex(8)
        place.mkdir(parents=True)
        lock = FileLock(place.with_suffix(".lock"), timeout=0)
        lock.acquire()
    try:
        with reported_errors(folder, place):
            yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            Path(lock.lock_file).unlink()


def require_free(name: str, force: bool, command: str) -> None:
    """Checks that a name may be given to a new entry.

    Args:
        name: of the entry.
        force: whether it may replace one.
        command: what replaces it, for the message.

    Raises:
        OutputError: if it may not.
    """
    if name in bundled_files():
        text = f"a voice that comes with voicegraph is called {name}, and stays as it is"
        raise OutputError(Problem("exists", text, fix="--name ANOTHER"))
    if (library_folder() / name / CARD).exists() and not force:
        text = f"{name} is in the library already"
        fix = f"{command} --name {name} --force\nor --name ANOTHER"
        raise OutputError(Problem("exists", text, fix=fix))


def keep(card: LibraryCard, made: Path, force: bool, command: str) -> None:
    """Gives a finished entry its place and its card, which makes it visible.

    Args:
        card: of the entry; its files are named as in ``made``.
        made: the folder of its files, in a :func:`workplace`.
        force: whether it replaces an entry of that name.
        command: what replaces it, for the message.

    Raises:
        OutputError: if the name was taken meanwhile, or the system refuses.
    """
    with changes() as folder:
        require_free(card.name, force, command)
        generation = secrets.token_hex(8)
        place = folder / card.name
        with reported_errors(place, folder):
            place.mkdir(exist_ok=True)
            made.replace(place / generation)
            _write(place, card.model_copy(update={"generation": generation}))
        for old in place.iterdir():
            if old.name not in (CARD, generation):
                shutil.rmtree(old, ignore_errors=True)


def change(name: str, new: Callable[[LibraryCard], LibraryCard]) -> LibraryEntry:
    """Replaces the card of an entry, and returns the entry.

    Args:
        name: of the entry.
        new: the new card of the present one.

    Raises:
        InputError: if there is no such entry.
        OutputError: if it is bundled, or the system refuses.
    """
    with changes() as folder:
        entry = require(name)
        refuse_bundled(entry, "is not changed")
        _write(folder / entry.name, new(entry.card))
        return require(name)


def remove(name: str) -> LibraryEntry:
    """Removes an entry; it is gone when its card is. Returns what was removed.

    Raises:
        InputError: if there is no such entry.
        OutputError: if it is bundled, or the system refuses.
    """
    with changes() as folder:
        entry = require(name)
        refuse_bundled(entry, "cannot be removed")
        try:
            (folder / entry.name / CARD).unlink()
        except OSError as error:
            raise cannot_write(folder / entry.name / CARD, error) from None
        shutil.rmtree(folder / entry.name, ignore_errors=True)
        return entry


def discard(name: str) -> None:
    """Removes a folder of the library whose card cannot be read.

    Raises:
        InputError: if there is no such folder.
    """
    with changes() as folder:
        place = folder / name
        if not (place / CARD).is_file():
            text = f"the library has nothing called {name!r}"
            raise InputError(Problem("unknown-voice", text, fix="voicegraph voice list"))
        (place / CARD).unlink()
        shutil.rmtree(place, ignore_errors=True)


def _write(place: Path, card: LibraryCard) -> None:
    write_text(place / CARD, card.model_dump_json(indent=2) + "\n", force=True)


def refuse_bundled(entry: LibraryEntry, how: str) -> None:
    """Refuses to change a voice that comes with voicegraph.

    Raises:
        OutputError: if it is one.
    """
    if entry.bundled:
        text = f"{entry.name} comes with voicegraph, and {how}"
        raise OutputError(Problem("bundled", text, fix="voicegraph voice list"))


def _clear(folder: Path) -> None:
    """Removes what killed processes have left; the library's lock is held.

    An entry that was half made or half removed has folders of ours, and no card. Whatever else
    somebody has put into the library's folder stays.
    """
    for lock in (folder / INCOMING).glob("*.lock"):
        with suppress(OSError, Timeout):
            with FileLock(lock, timeout=0):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
    for place in folder.iterdir():
        with suppress(OSError):
            if not (place / CARD).exists() and all(map(_is_ours, place.iterdir())):
                shutil.rmtree(place, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    return path.is_dir() and re.fullmatch("[0-9a-f]{16}", path.name) is not None
