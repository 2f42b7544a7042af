"""Opens sound files so that no sample is lost, and says why a file cannot be opened."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import soundfile

from ...errors import InputError, Problem
from ...regular_file import (
    FileNameError,
    NotRegularFileError,
    read_failure,
    require_regular,
    shortened,
)
from ._byte_view import ByteView
from ._frame_headers import unmeasured_mpeg, whole_flac, whole_mpeg
from ._magic import Recognised, recognise
from ._parts import find_parts
from ._sample_chunk import SampleChunk, find_sample_chunk
from .formats import READABLE

_ROUNDING = 64
"""Bytes by which a careless header may be wrong without any data missing."""
_NO_END = "Ogg: Last page lacks an end-of-stream bit"


class ForwardFile(soundfile.SoundFile):
    """A sound file that is read forward only.

    ``soundfile`` seeks after each chunk of a file that can seek. libsndfile cannot seek to the very
    end of a FLAC file of unknown length, and the last chunk would be lost.
    """

    def seekable(self) -> bool:
        """False, whatever the file is."""
        return False


@dataclass(slots=True)
class OpenedFile:
    """A file that is open, and what its header says about it.

    Attributes:
        file: to be read from.
        view: what it reads, if not the file itself.
        has_length: the header declares a length.
        note: a remark that is no damage.
        damage: why samples may be missing, or would be without our doing; None: all is well.
        lies: as ``damage``, but the header is what is wrong: all samples are there.
    """

    file: ForwardFile
    view: ByteView | None = None
    has_length: bool = True
    note: str | None = None
    damage: str | None = None
    lies: bool = False

    def close(self) -> None:
        """Closes it. Safe to call twice."""
        self.file.close()
        if self.view is not None:
            self.view.close()


def check_file(path: Path) -> None:
    """Checks that a path names a regular file with content.

    Raises:
        InputError: if it does not.
    """
    try:
        found = require_regular(path)
    except FileNotFoundError:
        raise InputError(_missing(path)) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not found.st_size:
        raise InputError(Problem("empty", f"{path} is empty: it has 0 bytes"))


def parts_of(path: Path) -> list[tuple[int, int]] | None:
    """The parts of a joined file, as first byte and byte after the last; None if it is one file.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        found = find_parts(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    return found if len(found) > 1 else None


def open_part(path: Path, part: tuple[int, int]) -> OpenedFile:
    """Opens a part of a joined file.

    Raises:
        InputError: if it cannot be decoded.
    """
    view = ByteView(path, b"", *part)
    opened = OpenedFile(_open(path, view), view, has_length=False)
    if _NO_END in opened.file.extra_info:
        opened.damage = "its end is missing"
    return opened


def open_sound(path: Path) -> OpenedFile:
    """Opens a file; if its header lies, with a header that does not.

    Raises:
        InputError: if it is not audio that can be read.
    """
    try:
        chunk = find_sample_chunk(path)
        if chunk is not None:
            return _open_chunked(path, chunk)
        if (view := whole_flac(path)) is not None:
            text = "more samples follow than it declares"
            return OpenedFile(_open(path, view), view, has_length=False, damage=text, lies=True)
        if (view := whole_mpeg(path)) is not None:
            note = "more sound follows than its header declares: all of it was used"
            return OpenedFile(_open(path, view), view, has_length=False, note=note)
        opened = OpenedFile(_open(path, None))
        if opened.file.format in ("MP3", "MPEG"):
            view = unmeasured_mpeg(path)
            if view is not None:
                opened.close()
                return OpenedFile(_open(path, view), view, has_length=False)
        elif _NO_END in opened.file.extra_info:
            opened.damage = "its end is missing"
    except OSError as error:
        raise _unreadable(path, error) from None
    return opened


def _open_chunked(path: Path, chunk: SampleChunk) -> OpenedFile:
    view = None
    if chunk.head is not None:
        view = ByteView(path, chunk.head, chunk.start, chunk.end)
    opened = OpenedFile(_open(path, view), view)
    opened.has_length = not opened.file.subtype.startswith("MPEG")  # libsndfile estimates it
    declared, held = chunk.declared, chunk.held
    if declared is not None and declared > held + _ROUNDING:
        opened.damage = f"its header declares {declared - held} more bytes than the file has"
    elif declared is not None and declared < held:
        seconds = opened.file.frames / opened.file.samplerate
        told = f"{seconds * declared / held:.3f} s" if declared else "no samples"
        text = f"it declares {told}, but {seconds:.3f} s are there"
        opened.damage = f"{text}; the program that wrote it was probably interrupted"
        opened.lies = True
    elif chunk.unused > 0:
        opened.damage = f"{chunk.unused} bytes follow its samples, and belong to nothing"
    elif chunk.unwritten:
        opened.note = "its header does not say how long it is: all that it holds was used"
    elif chunk.second:
        opened.note = "more samples follow in a second chunk, and were not used"
    return opened


def _open(path: Path, view: ByteView | None) -> ForwardFile:
    try:
        return ForwardFile(path if view is None else cast(BinaryIO, view))
    except (soundfile.LibsndfileError, TypeError) as error:
        if view is not None:
            view.close()
        raise InputError(not_audio(path, error)) from None


def _unreadable(path: Path, error: OSError) -> InputError:
    why = read_failure(error)
    match error:
        case NotRegularFileError(kind="a folder"):
            found = Problem("is-folder", f"{path} is a folder, expected a sound file")
        case NotRegularFileError():
            fix = "save the sound as a file, and give the file's name"
            found = Problem("not-regular-file", f"{path} is {why}", fix=fix)
        case FileNameError():
            found = Problem("no-such-file", f"{shortened(path)}: {why}", fix="check the name")
        case _:
            found = Problem("cannot-read", f"{path} cannot be read: {why}")
    return InputError(found)


def _missing(path: Path) -> Problem:
    folder = path.parent
    if not folder.is_dir():
        return Problem(
            "no-such-file", f"there is no file {path}: the folder {folder} does not exist"
        )
    sounds = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in READABLE)
    similar = difflib.get_close_matches(path.stem, [entry.stem for entry in sounds], 3, 0.6)
    close = [
        entry.name for stem in dict.fromkeys(similar) for entry in sounds if entry.stem == stem
    ]
    notes = ((f"similar names in that folder: {', '.join(close[:3])}", None),) if close else ()
    fix = str(folder / close[0]) if close else None
    return Problem("no-such-file", f"there is no file {path}", notes=notes, fix=fix)


def not_audio(path: Path, error: Exception | None = None) -> Problem:
    """Why a file cannot be read, and how it is converted if it is audio.

    Args:
        path: the file.
        error: what libsndfile said.
    """
    found = recognise(path)
    reason = getattr(error, "error_string", "").rstrip(".")
    told = f" (libsndfile: {reason})" if _says_something(reason) else ""
    if path.suffix.lower() == ".raw":
        what = "raw samples have no header with rate and channels"
    elif found is None:
        what = f"its first bytes belong to no known audio format{told}"
    elif found.sound and not found.whole:
        what = f"it is {found.what}{told}"
    else:
        what = f"it looks like {found.what}" + ("" if found.sound else told)
    notes = [(what, None)]
    if found is None or not found.sound:
        formats = ", ".join(sorted(soundfile.available_formats()))
        notes.append((f"readable formats: {formats}", None))
    return Problem(
        "not-audio", f"{path} is not readable audio", notes=tuple(notes), fix=_fix(path, found)
    )


def _says_something(reason: str) -> bool:
    return bool(reason) and "not recognised" not in reason and "does not exist" not in reason


def _fix(path: Path, found: Recognised | None) -> str | None:
    if found is None or not found.sound:
        return None
    if not found.whole:
        return "get the file again: the program that wrote it was probably interrupted"
    target = path.with_suffix(".wav")
    if target.exists():
        target = path.with_name(f"{path.name}.wav")
    return f'ffmpeg -i "{path}" "{target}"'
