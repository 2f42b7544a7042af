"""The sound on which pipelines are compared, and why some sound cannot be a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from ..errors import InputError, Problem
from ..files.sound.reader import AudioReader
from ..signals import Audio

SHORTEST_S = 1.0
"""Shorter sounds are refused: a second holds a few syllables, and several blocks."""
SILENT_DB = -70.0
"""Sound whose loudest 50 ms stay below this level, in dB of full scale, is refused as silent."""
_WINDOW_S = 0.05


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound.

    Attributes:
        name: its name in reports.
        samples: float32 ``[channels, samples]``, nominal range -1..1.
        rate: in Hz.
    """

    name: str
    samples: np.ndarray
    rate: int

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        seconds: float | None = None,
        salvage: bool = False,
        select: Sequence[int] = (),
    ) -> Clip:
        """Reads a file.

        Args:
            path: any file that libsndfile reads.
            seconds: read at most so much from its beginning.
            salvage: take what can be read of a damaged file.
            select: channels that are wanted, from 0; by default all.

        Raises:
            InputError: if it cannot be read.
        """
        with AudioReader(path, salvage=salvage, select=select) as reader:
            rate = int(reader.type.rate)
            most = None if seconds is None else round(seconds * rate)
            chunks: list[np.ndarray] = []
            for chunk in reader:
                chunks.append(chunk)
                if most is not None and reader.taken >= most:
                    break
        return cls(str(path), np.concatenate(chunks, axis=1)[:, :most], rate)

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.samples.shape[1] / self.rate

    def at(self, kind: Audio) -> np.ndarray:
        """The sound as float32 ``[channels, samples]`` of a pipeline's input type.

        Other channel counts are averaged to one and copied to all, as pipelines do it. Time 0 stays
        at sample 0.
        """
        samples = self.samples
        if len(samples) != kind.channels:
            samples = np.tile(samples.mean(axis=0), (kind.channels, 1))
        if self.rate != kind.rate:
            samples = soxr.resample(samples.T, self.rate, float(kind.rate), "HQ").T
        return np.ascontiguousarray(samples, np.float32)


def require_judge(clip: Clip, kind: Audio) -> np.ndarray:
    """The clip as ``kind``, if a comparison on it means anything.

    Raises:
        InputError: if it is too short, silent, or silent as soon as its channels are averaged.
    """
    if clip.seconds < SHORTEST_S:
        text = f"{clip.name} lasts {clip.seconds:.2f} s, too short to judge by"
        fix = f"give at least {SHORTEST_S:g} s of speech; several sentences are better"
        raise InputError(Problem("too-short", text, fix=fix))
    if not np.isfinite(clip.samples).all():
        place = int(np.argmin(np.isfinite(clip.samples).all(axis=0)))
        text = f"{clip.name} holds NaN or infinity, the first at {place / clip.rate:.3f} s"
        raise InputError(Problem("not-finite", text, fix="repair the file"))
    whole, made = loudest_db(clip.samples, clip.rate), clip.at(kind)
    if whole < SILENT_DB:
        text = f"{clip.name} is silent: its loudest 50 ms have {whole:.0f} dB of full scale"
        fix = f"give speech of at least {SILENT_DB:g} dB"
        raise InputError(Problem("silent", text, fix=fix))
    if loudest_db(made, float(kind.rate)) < SILENT_DB:
        text = f"the channels of {clip.name} cancel each other when they are averaged to mono"
        raise InputError(Problem("silent", text, fix="--input-select 1"))
    return made


def loudest_db(samples: np.ndarray, rate: float) -> float:
    """Level of the loudest 50 ms of ``[channels, samples]``, in dB of full scale, without DC."""
    centred = samples.astype(np.float64) - samples.mean(axis=1, keepdims=True)
    power = np.square(centred).mean(axis=0)
    size = max(1, round(_WINDOW_S * rate))
    starts = np.arange(0, len(power), size)
    sums = np.add.reduceat(power, starts) / np.diff(np.append(starts, len(power)))
    return float(10 * np.log10(sums.max(initial=0.0) + 1e-20))
