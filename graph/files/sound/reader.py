"""Reads sound files in chunks, in any format, rate and channel count that libsndfile knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from ...errors import InputError, Problem
from ...regular_file import (
    FileNameError,
    NotRegularFileError,
    open_regular,
    read_failure,
    shortened,
)
from ...signals import Audio
from .formats import READABLE, describe_magic

_CHUNK_VALUES = 1 << 16
"""Limit of values per chunk, over all channels: 256 KiB."""
_CHUNKS_PER_SECOND = 4
"""Chunks per second of audio, at least, for smooth progress and quick interrupts."""
_UNKNOWN_LENGTH = 1 << 62
_STREAMED = 0x7FFFF000
"""Programs that write to a pipe do not know the length; they declare this many bytes or more."""
_ROUNDING = 64
"""Bytes by which a careless header may be wrong without any data missing."""
_DECLARED = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff) *: *(\d+) \(should be (\d+)\)", re.MULTILINE
)
"""How libsndfile logs a declared size that differs from the actual one."""
_NO_END = ("Ogg: Last page lacks an end-of-stream bit", "does not match value from 'ds64' chunk")


class AudioReader:
    """Reads a sound file chunk by chunk, in constant memory.

    Iterating yields float32 ``[channels, samples]``, nominal range -1..1.

    Args:
        path: the file.
        salvage: read what is left of a damaged or truncated file, with a note, instead of raising.

    Attributes:
        type: rate and channel count.
        frames: samples per channel that the header declares; None if it does not say.
        taken: samples per channel read so far.
        encoding: container and encoding, such as ``FLAC PCM_16``.
        notes: what users should know, such as ignored damage.

    Raises:
        InputError: if the file is missing, a folder, not audio, empty, or truncated.
    """

    def __init__(self, path: str | Path, *, salvage: bool = False) -> None:
        self.path = Path(path)
        self.salvage = salvage
        self.notes: list[str] = []
        self.taken = 0
        self._file = _open(self.path)
        self.type = Audio(Fraction(self._file.samplerate), self._file.channels)
        self.encoding = f"{self._file.format} {self._file.subtype}"
        frames = self._file.frames
        self.frames: int | None = frames if frames < _UNKNOWN_LENGTH else None
        try:
            self._check_length()
        except BaseException:
            self.close()
            raise

    @property
    def seconds(self) -> float | None:
        """The length that the header declares."""
        return None if self.frames is None else self.frames / float(self.type.rate)

    def _check_length(self) -> None:
        if self.frames == 0:
            raise InputError(_empty(self.path))
        log = self._file.extra_info
        cut = [int(n) - int(found) for n, found in _DECLARED.findall(log) if int(n) < _STREAMED]
        if max(cut, default=0) > _ROUNDING:
            self._damaged(f"its header declares {max(cut)} more bytes than the file has")
        elif any(sign in log for sign in _NO_END):
            self._damaged("its end is missing")

    def __iter__(self) -> Iterator[np.ndarray]:
        most = _CHUNK_VALUES // self.type.channels
        count = max(1, min(most, int(self.type.rate) // _CHUNKS_PER_SECOND))
        while True:
            chunk = self._read(count)
            if not len(chunk):
                break
            self.taken += len(chunk)
            yield np.ascontiguousarray(chunk.T)
        self._check_taken()

    def _read(self, count: int) -> np.ndarray:
        try:
            return self._file.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            second = self.taken / float(self.type.rate)
            reason = f" ({error.error_string.rstrip('.')})" if error.error_string else ""
            self._damaged(f"it cannot be decoded after {second:.3f} s{reason}")
            return np.zeros((0, self.type.channels), np.float32)

    def _check_taken(self) -> None:
        """Compares the length with the declared one, which MPEG headers may only estimate."""
        if self.taken == 0:
            raise InputError(_empty(self.path))
        declared = self.frames or 0
        if self.taken >= declared or self.notes:
            return
        rate = float(self.type.rate)
        text = f"its header declares {declared / rate:.3f} s, it holds {self.taken / rate:.3f} s"
        if self._file.format in ("MP3", "MPEG"):
            self.notes.append(f"{self.path}: {text}")
        else:
            self._damaged(text)

    def _damaged(self, what: str) -> None:
        if not self.salvage:
            text = f"{self.path} is truncated or damaged: {what}"
            fix = "get the file again, or use what is left of it: --salvage"
            raise InputError(Problem("truncated", text, fix=fix))
        self.notes.append(f"{self.path} is truncated or damaged: {what}; the rest was used")

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._file.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path) -> soundfile.SoundFile:
    try:
        with open_regular(path) as file:
            head = file.read(64)
    except FileNotFoundError:
        raise InputError(_missing(path)) from None
    except OSError as error:
        raise InputError(_unreadable(path, error)) from None
    if not head:
        raise InputError(Problem("empty", f"{path} is empty: it has 0 bytes"))
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise InputError(_not_audio(path, head, error)) from None


def _unreadable(path: Path, error: OSError) -> Problem:
    why = read_failure(error)
    match error:
        case NotRegularFileError(kind="a folder"):
            return Problem("is-folder", f"{path} is a folder, expected a sound file")
        case NotRegularFileError():
            fix = "save the sound as a file, and give the file's name"
            return Problem("not-regular-file", f"{path} is {why}", fix=fix)
        case FileNameError():
            return Problem("no-such-file", f"{shortened(path)}: {why}", fix="check the name")
        case _:
            return Problem("cannot-read", f"{path} cannot be read: {why}")


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


def _not_audio(path: Path, head: bytes, error: Exception) -> Problem:
    what, convertible = describe_magic(head)
    reason = getattr(error, "error_string", "").rstrip(".")
    if "not recognised" not in reason and "does not exist" not in reason and reason:
        what += f" (libsndfile: {reason})"
    if path.suffix.lower() == ".raw":
        what = "raw samples have no header with rate and channels"
    formats = ", ".join(sorted(soundfile.available_formats()))
    notes = ((what, None), (f"readable formats: {formats}", None))
    fix = f'ffmpeg -i "{path}" "{path.with_suffix(".wav")}"' if convertible else None
    return Problem("not-audio", f"{path} is not readable audio", notes=notes, fix=fix)


def _empty(path: Path) -> Problem:
    size = path.stat().st_size
    notes = ()
    if size > 4096:
        text = f"but the file has {size} bytes: the program that wrote it was interrupted"
        notes = ((text, None),)
    return Problem("empty", f"{path} holds no samples", notes=notes)
