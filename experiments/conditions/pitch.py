"""Moves a speaker to another pitch, as a child's, with formants that follow it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from voicegraph.nodes.world import world_library

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import at_level_of, with_length
from ._world_contour import PERIOD_MS, WorldContour

_FORMANTS_BY_F0 = 1 / 3
"""Exponent by which formants follow the pitch from men to women and children."""


class PitchParams(Params):
    """Params of ``pitch``."""

    pitch: Annotated[float, Field(ge=60, le=500)]
    """Median F0 of the result, in Hz; children of eight have about 270."""
    formants: Annotated[float, Field(ge=0.5, le=2)] | None = None
    """Factor on the formant frequencies; null: the cube root of the factor on the F0."""


@condition("pitch")
class PitchAndFormants(Condition):
    """The clip by the vocoder WORLD with another median F0, and formants that follow it.

    It is no child: words, timing and articulation stay the speaker's. From men to children F0 rises
    about twofold and formants by a fourth: G. E. Peterson, H. L. Barney, Control methods used in a
    study of the vowels, JASA 24(2), 1952. A clip without a voiced frame stays as it is.
    """

    text = "resynthesis by WORLD with another median F0, and formants that follow it"
    params = PitchParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Scales the contour, and warps the frequencies of envelope and aperiodicity."""
        del seed
        assert isinstance(given, PitchParams)
        found = WorldContour.of(audio, rate)
        voiced = found.f0[found.f0 > 0]
        if not len(voiced):
            return audio, {}
        factor = given.pitch / float(np.median(voiced))
        warp = factor**_FORMANTS_BY_F0 if given.formants is None else given.formants
        envelope = warp_frequency(found.envelope(), warp)
        noise = warp_frequency(found.noise, warp)
        made = world_library.synthesize(factor * found.f0, envelope, noise, rate, PERIOD_MS)
        return at_level_of(with_length(made, len(audio)), audio), {}


def warp_frequency(spectrum: np.ndarray, factor: float) -> np.ndarray:
    """Moves what is at frequency f to f * factor: ``[frames, bins]``, contiguous for WORLD."""
    bins = np.arange(spectrum.shape[1])
    source = np.minimum(bins / factor, bins[-1])
    below = np.minimum(source.astype(int), bins[-1] - 1)
    share = source - below
    return np.ascontiguousarray(spectrum[:, below] * (1 - share) + spectrum[:, below + 1] * share)
