"""Interpolates the inputs of a synthesizer at its own frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch

from voicegraph.graph import PortSpec
from voicegraph.schemas.voice_card import FRAMES_HZ

_JUMP = 2**0.5
"""Ratio of two frames above which there is no interpolation between them: half an octave."""


@dataclass(frozen=True, slots=True)
class FramePositions:
    """For each frame the input frame at or before it, the next one, and the weight of that.

    Attributes:
        before: int64 ``[frames]``.
        after: int64 ``[frames]``.
        share: float32 ``[frames]``, 0 at ``before`` and 1 at ``after``.
        exact: whether all of ``share`` is 0.
    """

    before: torch.Tensor
    after: torch.Tensor
    share: torch.Tensor
    exact: bool

    @classmethod
    def of(
        cls, given: PortSpec, start: Fraction, count: int, device: torch.device
    ) -> FramePositions:
        """``count`` frames every 10 ms from ``start``; the last input frame is held."""
        times = [start + Fraction(k, FRAMES_HZ) for k in range(count)]
        places = [(time - given.interval.start) * given.rate for time in times]
        before = [min(math.floor(place), given.count - 1) for place in places]
        share = [float(place - math.floor(place)) for place in places]
        return cls(
            torch.tensor(before, device=device),
            torch.tensor([min(k + 1, given.count - 1) for k in before], device=device),
            torch.tensor(share, dtype=torch.float32, device=device),
            not any(share),
        )


def interpolate(values: torch.Tensor, places: FramePositions) -> torch.Tensor:
    """``[streams, n, dim]`` -> ``[streams, frames, dim]``, linearly."""
    before = values.index_select(1, places.before)
    if places.exact:
        return before
    return torch.lerp(before, values.index_select(1, places.after), places.share[:, None])


def interpolate_pitch(f0: torch.Tensor, places: FramePositions) -> torch.Tensor:
    """Hz ``[streams, n]`` -> ``[streams, frames]``; at a jump, the nearest frame."""
    before = f0.index_select(1, places.before)
    if places.exact:
        return before
    after = f0.index_select(1, places.after)
    ratio = after / before.clamp_min(1e-6)
    glides = (before > 0) & (after > 0) & (ratio < _JUMP) & (ratio > 1 / _JUMP)
    nearest = torch.where(places.share < 0.5, before, after)
    return torch.where(glides, before * ratio.clamp_min(1e-6) ** places.share, nearest)
