"""Reads sound files in chunks, in any format, rate and channel count that libsndfile knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from ...errors import InputError, Problem
from ...signals import Audio
from ._decoder_messages import DecoderMessages
from ._open_file import OpenedFile, check_file, open_part, open_sound, parts_of

_CHUNK_VALUES = 1 << 16
"""Limit of values per chunk, over all channels: 256 KiB."""
_CHUNKS_PER_SECOND = 4
"""Chunks per second of audio, at least, for smooth progress and quick interrupts."""
_UNKNOWN_LENGTH = 1 << 62
_MOST_FRAMES_A_BYTE = 8192
"""More samples a byte than this has no format: a FLAC block of silence is 65535 in 11 bytes."""
_MPEG = ("MP3", "MPEG")


class AudioReader:
    """Reads a sound file chunk by chunk, in constant memory.

    Iterating yields float32 ``[channels, samples]``, nominal range -1..1. The file is read forward,
    without seeking, and a chained Ogg file through all its parts.

    Args:
        path: the file.
        salvage: read what is left of a damaged or truncated file, with a note, instead of raising.
        select: channels that are wanted, from 0; by default all.

    Attributes:
        type: rate and channel count of what is read.
        frames: samples per channel that the header declares; None if it does not say.
        taken: samples per channel read so far.
        encoding: container and encoding, such as ``FLAC PCM_16``.
        notes: what users should know, such as ignored damage.

    Raises:
        InputError: if the file is missing, a folder, not audio, empty, or truncated; or if its
            header declares fewer samples than it holds.
    """

    def __init__(
        self, path: str | Path, *, salvage: bool = False, select: Sequence[int] = ()
    ) -> None:
        self.path = Path(path)
        self.salvage = salvage
        self.notes: list[str] = []
        self.taken = 0
        self._excused = False
        check_file(self.path)
        parts = parts_of(self.path)
        self._later = parts[1:] if parts else []
        self._messages = DecoderMessages()
        self._opened: OpenedFile | None = None
        try:
            with self._messages.collected():
                self._opened = open_part(self.path, parts[0]) if parts else open_sound(self.path)
            file = self._opened.file
            self._channels = file.channels
            self._select = self._checked(select)
            width = len(self._select) or file.channels
            self.type = Audio(Fraction(file.samplerate), width)
            self._noisy = file.format in _MPEG or file.subtype.startswith("MPEG")
            self.encoding = f"{file.format} {file.subtype}"
            known = self._opened.has_length and file.frames < _UNKNOWN_LENGTH
            self._declared = file.frames if known else 0
            # A wrong header must not make an output look too large for the disk.
            possible = self._declared <= _MOST_FRAMES_A_BYTE * self.path.stat().st_size
            self.frames = self._declared if self._declared and possible else None
            self._check_opened(self._opened)
        except BaseException:
            self.close()
            raise

    @property
    def seconds(self) -> float | None:
        """The length that the header declares."""
        return None if self.frames is None else self.frames / float(self.type.rate)

    def _checked(self, select: Sequence[int]) -> list[int]:
        beyond = [channel + 1 for channel in select if channel >= self._channels]
        if beyond:
            count = "is mono" if self._channels == 1 else f"has {self._channels} channels"
            text = f"{self.path} {count}, and no channel {beyond[0]}"
            raise InputError(Problem("no-such-channel", text, fix="--input-select 1"))
        return list(select)

    def _check_opened(self, opened: OpenedFile) -> None:
        if opened.file.frames == 0:
            raise InputError(_empty(self.path))
        if opened.note is not None:
            self.notes.append(f"{self.path}: {opened.note}")
        if opened.damage is None:
            return
        if opened.lies:
            self._header_lies(opened.damage)
        else:
            self._damaged(opened.damage)

    def __iter__(self) -> Iterator[np.ndarray]:
        most = _CHUNK_VALUES // self._channels
        count = max(1, min(most, int(self.type.rate) // _CHUNKS_PER_SECOND))
        while True:
            chunk = self._read(count)
            if not len(chunk) and self._next_part():
                continue
            if not len(chunk):
                break
            self.taken += len(chunk)
            chosen = chunk[:, self._select] if self._select else chunk
            yield np.ascontiguousarray(chosen.T)
        if self._noisy and (said := self._messages.found()):
            self.notes.append(f"{self.path}: the decoder says: {'; '.join(said)}")
        self._check_taken()

    def _read(self, count: int) -> np.ndarray:
        assert self._opened is not None
        nothing = np.zeros((0, self._channels), np.float32)
        try:
            with self._messages.collected() if self._noisy else nullcontext():
                chunk = self._opened.file.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            if self._is_whole():
                return nothing  # what follows the samples is something else
            second = self.taken / float(self.type.rate)
            reason = f" ({error.error_string.rstrip('.')})" if error.error_string else ""
            self._damaged(f"it cannot be decoded after {second:.3f} s{reason}")
            return nothing
        if self._opened.view is not None and self._opened.view.interrupted:
            raise KeyboardInterrupt
        return chunk

    def _is_whole(self) -> bool:
        return 0 < self._declared <= self.taken

    def _next_part(self) -> bool:
        """Opens the next part of a chained file."""
        if not self._later:
            return False
        part = self._later.pop(0)
        try:
            opened = open_part(self.path, part)
        except InputError:
            self._damaged(f"the part after {self._second():.3f} s cannot be decoded")
            return self._next_part()
        file = opened.file
        if (file.samplerate, file.channels) != (int(self.type.rate), self._channels):
            found = Audio(Fraction(file.samplerate), file.channels)
            before = Audio(self.type.rate, self._channels)
            opened.close()
            self._damaged(f"after {self._second():.3f} s it goes on as {found}, not {before}")
            return self._next_part()
        assert self._opened is not None
        self._opened.close()
        self._opened = opened
        if opened.damage is not None:
            self._damaged(opened.damage)
        return True

    def _second(self) -> float:
        return self.taken / float(self.type.rate)

    def _check_taken(self) -> None:
        """Compares the length with the declared one, which MPEG headers may only estimate."""
        if self.taken == 0:
            raise InputError(_empty(self.path))
        assert self._opened is not None
        declared = self._declared
        if self.taken >= declared or self._excused:
            return
        rate = float(self.type.rate)
        text = f"its header declares {declared / rate:.3f} s, it holds {self.taken / rate:.3f} s"
        if self._opened.file.format in _MPEG:
            self.notes.append(f"{self.path}: {text}")
        else:
            self._damaged(text)

    def _damaged(self, what: str) -> None:
        if not self.salvage:
            text = f"{self.path} is truncated or damaged: {what}"
            fix = "get the file again, or use what is left of it: --salvage"
            raise InputError(Problem("truncated", text, fix=fix))
        self._excused = True
        self.notes.append(f"{self.path} is truncated or damaged: {what}; the rest was used")

    def _header_lies(self, what: str) -> None:
        if not self.salvage:
            text = f"the header of {self.path} is wrong: {what}"
            fix = "get the file again, or use all that it holds: --salvage"
            raise InputError(Problem("wrong-header", text, fix=fix))
        self.notes.append(f"the header of {self.path} is wrong: {what}; all of it was used")

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._messages.close()
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _empty(path: Path) -> Problem:
    return Problem("empty", f"{path} holds no samples")
