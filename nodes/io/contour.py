"""``io.contour``: a speech-like pitch contour, the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from voicegraph.graph import Mask, NodeParams, Out, Pitch, Ports, Rate, random, register
from voicegraph.nodes.io._source import Source, grid

_SYLLABLES_HZ = 5
"""Speech has about five syllables a second."""
_VIBRATO_HZ = 5.5
_VIBRATO_SEMITONES = 0.3
_ACCENT_SEMITONES = 5.0
"""Syllables lie up to this far above or below the speaker's mean."""
_LOWEST_HZ, _HIGHEST_HZ = 90.0, 240.0
"""Range of the mean pitch; each stream is another speaker."""
_PAUSE = 0.15
"""Share of syllables that are pauses."""
_WORDS = 3  # random words a syllable: accent, length, pause


class ContourParams(NodeParams):
    """Params of ``io.contour``."""

    rate: Rate = Fraction(100)
    """Frames a second, in Hz."""


@register("io.contour")
class Contour(Source[ContourParams]):
    """A speech-like pitch contour: nothing -> ``pitch`` and ``voiced`` ``[streams, frames]``.

    Five syllables a second with an accent of up to 5 semitones each, joined linearly, with vibrato;
    the end of each syllable and one syllable in seven are unvoiced. ``pitch`` is in Hz and 0 where
    unvoiced, ``voiced`` is 1 or 0. Frame ``n`` is a function of the pipeline's seed, the node's
    name, the stream and ``n`` alone.
    """

    examples = ({}, {"rate": 1000})

    pitch = Out(Pitch, doc="the contour in Hz, 0 where unvoiced")
    voiced = Out(Mask, doc="1 where voiced, else 0")

    def ports(self, params: ContourParams) -> Ports:
        """The rate comes from the params."""
        made = {"pitch": type(self).pitch, "voiced": type(self).voiced}
        return Ports(outputs={name: replace(port, rate=params.rate) for name, port in made.items()})

    def prepare(self, params: ContourParams) -> None:
        """Computes the cells of the grid from value to value."""
        self._step = _SYLLABLES_HZ / params.rate

    def values(
        self, params: ContourParams, stream: int, position: int, count: int
    ) -> Mapping[str, np.ndarray]:
        """``pitch`` and ``voiced``, float32 ``[count]``."""
        cells, into = grid(position, count, self._step)
        first, syllables = int(cells[0]), int(cells[-1] - cells[0]) + 2
        drawn = random.uniform(
            self.seed, self.name, stream, first * _WORDS, syllables * _WORDS
        ).reshape(syllables, _WORDS)
        here = cells - first
        accent = drawn[here, 0] + into * (drawn[here + 1, 0] - drawn[here, 0])
        seconds = (cells + into) / _SYLLABLES_HZ
        semitones = _ACCENT_SEMITONES * (2 * accent - 1)
        semitones += _VIBRATO_SEMITONES * np.sin(2 * np.pi * _VIBRATO_HZ * seconds)
        speaker = random.uniform(self.seed, f"{self.name}/speaker", stream, 0, 1)[0]
        mean = _LOWEST_HZ * (_HIGHEST_HZ / _LOWEST_HZ) ** speaker
        voiced = (into < 0.6 + 0.35 * drawn[here, 1]) & (drawn[here, 2] >= _PAUSE)
        pitch = np.where(voiced, mean * 2.0 ** (semitones / 12), 0.0)
        return {"pitch": pitch.astype(np.float32), "voiced": voiced.astype(np.float32)}
