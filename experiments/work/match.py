"""Params of one clip, from what is known of its speaker and of the target voice.

``transpose`` moves the speaker's median F0 to that of the voice, and the formants if the voice is
of the other sex: for pipelines without a voice file, such as ``world``. ``start`` tells the
pipeline the speaker's median F0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import soxr

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.metrics.f0_contour import RATE, contour

Rule = Literal["transpose", "start"]
FORMANTS = 12 * float(np.log2(1.16))
"""Formant shift from men to women, in semitones."""
FEMALE_ABOVE_HZ = 155.0
"""Median F0 above which a voice is taken for a woman's."""
_TRACKER = "f0.dio"


@dataclass(frozen=True, slots=True)
class Match:
    """What is set for one clip.

    Attributes:
        rules: ``transpose`` sets ``vars.transpose`` and ``vars.formant``; ``start`` sets
            ``vars.start``.
        source_hz: median F0 of the speaker; None measures it on the clean clip.
        source_sex: ``M`` or ``F``; None guesses it from the median F0.
        target_hz: median F0 of the target; None measures it on its held-out speech.
        target_sex: as of the source.
    """

    rules: tuple[Rule, ...]
    source_hz: float | None = None
    source_sex: str | None = None
    target_hz: float | None = None
    target_sex: str | None = None

    @property
    def measures_source(self) -> bool:
        """Whether the clean clip is needed."""
        return self.source_hz is None

    @property
    def measures_target(self) -> bool:
        """Whether speech of the target is needed."""
        return "transpose" in self.rules and self.target_hz is None

    def overrides(self, source_hz: float, target_hz: float | None) -> tuple[tuple[str, float], ...]:
        """The overrides of the pipeline."""
        found: list[tuple[str, float]] = []
        if "start" in self.rules:
            found.append(("vars.start", source_hz))
        if "transpose" in self.rules:
            assert target_hz is not None
            moved = 12 * float(np.log2(target_hz / source_hz))
            to_female = (self.target_sex or _sex(target_hz)) == "F"
            from_female = (self.source_sex or _sex(source_hz)) == "F"
            formants = FORMANTS * (to_female - from_female)
            found.append(("vars.transpose", round(moved, 3)))
            found.append(("vars.formant", round(formants, 3)))
        return tuple(found)


def _sex(median_hz: float) -> str:
    return "F" if median_hz > FEMALE_ABOVE_HZ else "M"


def median_f0(audio: np.ndarray, rate: int) -> float:
    """Median F0 in Hz of the voiced frames of float32 ``[samples]``.

    Raises:
        InputError: if no frame is voiced.
    """
    voiced = voiced_f0(audio, rate)
    if not len(voiced):
        text = "no frame is voiced, so its median F0 is unknown"
        raise InputError(Problem("no-pitch", text, fix="a column median_hz in clips.files"))
    return round(float(np.median(voiced)), 2)


def voiced_f0(audio: np.ndarray, rate: int) -> np.ndarray:
    """F0 in Hz of the voiced frames, ``[frames]``."""
    heard = audio if rate == RATE else soxr.resample(audio, rate, RATE, "HQ")
    found = contour(heard, _TRACKER)
    return found[found > 0]
