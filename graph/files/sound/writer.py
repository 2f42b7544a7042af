"""Writes sound files in chunks, atomically."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile

from ...errors import OutputError, Problem
from ...signals import Audio
from ..atomic_write import AtomicFile, cannot_write, is_full
from ._verification import shortfall
from .formats import Format
from .output_form import OutputForm, encoding_for

_RIFF_LIMIT = (1 << 32) - (1 << 16)
"""Bytes of samples that fit into a WAV file, whose sizes have 32 bits."""
_MAKE_ROOM = "make room, or give a name on another disk"


class AudioWriter:
    """A sound file that gets its name when :meth:`commit` is called.

    As a context manager it commits at the end of the block, and discards after an exception.

    Args:
        path: the file; its extension decides the format.
        kind: rate and channel count.
        subtype: libsndfile's name of the encoding; by default 24 bits for integer samples.
        form: encoding, bitrate and quality, in place of ``subtype``.
        force: replace an existing file.
        frames: expected samples per channel, if known. A file that will not fit on the disk is then
            refused at once, and a WAV file over 4 GiB becomes RF64, which players read as WAV.

    Attributes:
        format: container and encoding.
        encoding: the same with bitrate or quality.
        frames: samples per channel written so far.
        clipped: number of values beyond -1..1 that were clipped.
        peak: largest magnitude so far, before clipping.

    Raises:
        OutputError: if the file may not be written (see :class:`AtomicFile`), its format is unknown
            or cannot hold this rate and channel count, or the disk has no room for it.
    """

    def __init__(
        self,
        path: str | Path,
        kind: Audio,
        *,
        subtype: str | None = None,
        form: OutputForm | None = None,
        force: bool = False,
        frames: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.type = kind
        self.encoding = encoding_for(self.path, kind, form or OutputForm(subtype=subtype))
        self.format = self.encoding.format
        self.frames = 0
        self.clipped = 0
        self.peak = 0.0
        size = (frames or 0) * kind.channels * (self.format.lossless_bytes or 0)
        if self.format.container == "WAV" and size > _RIFF_LIMIT:
            self.format = Format("RF64", self.format.subtype)
            self.encoding = replace(self.encoding, format=self.format)
        self._atomic = AtomicFile(self.path, force=force)
        try:
            self._check_room(size)
            self._file = self._open()
        except BaseException:
            self._atomic.discard()
            raise

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self._atomic.temporary.parent).free
        if size > free:
            text = f"{self.path} needs {_megabytes(size)}, but the disk has {_megabytes(free)} left"
            raise OutputError(Problem("disk-full", text, fix=_MAKE_ROOM))

    def _open(self) -> soundfile.SoundFile:
        try:
            path = self._atomic.temporary
            # The library encodes text strictly, and POSIX has names that are no text.
            name: Any = path if os.name == "nt" else os.fsencode(path)
            return soundfile.SoundFile(
                name,
                "w",
                int(self.type.rate),
                self.type.channels,
                self.format.subtype,
                format=self.format.container,
                **self.encoding.options(),
            )
        except soundfile.LibsndfileError as error:
            said = error.error_string.removeprefix("Error : ").rstrip(".")
            reason = f": {said}" if said else ""
            text = f"{self.path}: {self.format} cannot hold {self.type}{reason}"
            fix = str(self.path.with_suffix(".wav"))
            raise OutputError(Problem("format-cannot-hold", text, fix=fix)) from None

    @property
    def seconds(self) -> float:
        """Seconds of audio written so far."""
        return self.frames / float(self.type.rate)

    def write(self, samples: np.ndarray) -> None:
        """Appends float32 ``[channels, samples]``.

        Raises:
            OutputError: if the disk is full, or writing fails.
        """
        if not samples.size:
            return
        self._check_size(samples.shape[1])
        peak = float(np.abs(samples).max())
        self.peak = max(self.peak, peak)
        if peak > 1.0 and self.format.clips:
            self.clipped += int((np.abs(samples) > 1.0).sum())
            samples = np.clip(samples, -1.0, 1.0)
        with self._reporting_errors():
            self._file.write(samples.T)
        self.frames += samples.shape[1]

    def _check_size(self, more: int) -> None:
        """Stops a file of unknown length before its header cannot hold its size."""
        each = self.type.channels * (self.format.lossless_bytes or 0)
        if self.format.container == "WAV" and (self.frames + more) * each > _RIFF_LIMIT:
            text = f"{self.path} is full after {self.seconds:.0f} s: a WAV file holds 4 GiB"
            fix = str(self.path.with_suffix(".w64"))
            raise OutputError(Problem("file-full", text, fix=fix))

    def commit(self) -> None:
        """Finishes the file and renames it to its final name.

        Raises:
            OutputError: as :meth:`write`; then nothing is left behind.
        """
        try:
            with self._reporting_errors():
                self._file.close()
            self._verify()
            self._atomic.commit()
        finally:
            self.discard()

    def _verify(self) -> None:
        with self._reporting_errors():
            missing = shortfall(self._atomic.temporary, self.format, self.frames)
            if missing:
                raise soundfile.SoundFileError(missing)

    def discard(self) -> None:
        """Closes and removes the unfinished file. Safe to call twice, and after :meth:`commit`."""
        try:
            self._file.close()
        except (soundfile.SoundFileError, AssertionError, OSError):
            pass  # a file that is discarded need not be complete
        finally:
            self._atomic.discard()

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        """Adds the reason of a failed write; libsndfile hides it, and soundfile only asserts."""
        try:
            yield
        except (soundfile.SoundFileError, AssertionError) as error:
            where = f"{self.path} cannot be continued after {self.seconds:.1f} s"
            if is_full(self._atomic.temporary.parent):
                text = f"{where}: the disk is full"
                raise OutputError(Problem("disk-full", text, fix=_MAKE_ROOM)) from None
            reason = str(error).rstrip(".") or "a short write"
            text = f"{where}: {reason} (a full disk, a quota, or a removed device)"
            raise OutputError(Problem("cannot-write", text)) from None
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def __enter__(self) -> AudioWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.commit()
        else:
            self.discard()


def decibels(peak: float) -> float | None:
    """A peak in dBFS; None for silence."""
    return 20 * math.log10(peak) if peak > 0 else None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
