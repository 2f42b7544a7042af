"""``pitch.smooth``: removes octave errors and single outliers from a pitch contour."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Duration,
    In,
    Interval,
    Mask,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Request,
    Requests,
    Semitones,
    SignalType,
    Tensors,
    format_rate,
    parse_duration,
    register,
)
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames


class SmoothParams(NodeParams):
    """Params of ``pitch.smooth``."""

    median: int = Field(3, ge=1, le=31)
    """Length of the running median in frames, an odd number; 1 switches it off."""
    octave_guard: bool = True
    """Correct jumps by whole octaves."""
    window: Duration = Field(parse_duration("200ms"), ge=0, le=2)
    """Time before each frame that the octave guard compares it with."""
    ahead: Duration = Field(parse_duration("20ms"), ge=0, le=2)
    """Time after each frame that the octave guard uses; this is latency."""
    tolerance: Semitones = Field(3.0, gt=0, le=6)
    """Largest distance of a jump from whole octaves at which it is an error, in semitones."""

    @field_validator("median")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"median must be odd, found {value}")
        return value


@register("pitch.smooth")
class Smooth(Node[SmoothParams, None]):
    """Corrects octave errors, then applies a running median.

    pitch and, optionally, voiced ``[streams, frames]`` -> pitch, voiced, the same type.

    1. Octave guard: with m the median of the voiced frames from ``window`` before a frame to
       ``ahead`` after it, itself included, a frame f for which log2(f / m) lies within
       ``tolerance`` of a whole number n other than 0 becomes f / 2^n. A jump to the octave that
       lasts is not an error, and stays.
    2. Median of ``median`` frames around each, of F0 (unvoiced frames count as 0 Hz, so that
       single frames vanish and single gaps close) and of voicing.

    Without ``voiced``, frames above 0 Hz are voiced.

    Source: L. R. Rabiner, M. R. Sambur, C. E. Schmidt, "Applications of a nonlinear smoothing
    algorithm to speech processing", IEEE Trans. ASSP 23(6), 1975 (running medians on pitch).
    """

    pure = True
    devices = ("cpu", "cuda")
    examples = ({}, {"median": 5, "octave_guard": False}, {"window": "70ms", "median": 1})

    pitch = In(Pitch, doc="F0 in Hz, 0 where unvoiced")
    voiced = In(Mask, optional=True, doc="voicing, if F0 alone does not show it")

    def ports(self, params: SmoothParams) -> Ports:
        """Outputs have the names of the inputs, which is not possible with class attributes."""
        pitch = Out(Pitch, like="pitch", doc="smoothed F0 in Hz, 0 where unvoiced")
        voiced = Out(Mask, like="pitch", doc="1 where voiced")
        return Ports(type(self).declared.inputs, {"pitch": pitch, "voiced": voiced})

    def infer(
        self, params: SmoothParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """The pitch's rate.

        Raises:
            ValueError: if ``voiced`` has another rate.
        """
        rate = inputs["pitch"].rate
        if "voiced" in inputs and inputs["voiced"].rate != rate:
            voiced = format_rate(inputs["voiced"].rate)
            raise ValueError(f"pitch comes at {format_rate(rate)}, but voiced at {voiced}")
        return super().infer(params, inputs)

    def _reach(self, params: SmoothParams) -> tuple[int, int]:
        """Frames before and after each one that the octave guard uses."""
        if not params.octave_guard:
            return 0, 0
        rate = self.input_types["pitch"].rate
        return math.floor(params.window * rate), math.floor(params.ahead * rate)

    def needs(self, params: SmoothParams, out: Request) -> Requests:
        """The reach of the guard and of the median, one after the other, on either side."""
        rate, half = self.input_types["pitch"].rate, params.median // 2
        before, after = ((reach + half) / rate for reach in self._reach(params))
        wide = Request(self.gives(params, out), out.core).widen(before, after)
        return dict.fromkeys(self.input_types, wide)

    def gives(self, params: SmoothParams, out: Request) -> Interval:
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, self.input_types["pitch"].rate)

    def prepare(self, params: SmoothParams) -> None:
        """Computes which frames are read: the output, and the reach of the median and guard."""
        asked, half = self.asked["pitch"], params.median // 2
        self._before, self._after = self._reach(params)
        self._count = self._before + half + asked.count + half + self._after
        start = asked.interval.start - (self._before + half) / asked.rate
        self._begin = {port: spec.index(start) for port, spec in self.given.items()}

    def process(self, inputs: Tensors, params: SmoothParams, state: None) -> Tensors:
        """One block, or one window."""
        before, after, count = self._before, self._after, self._count
        cut = {name: values.narrow(1, self._begin[name], count) for name, values in inputs.items()}
        pitch = cut["pitch"]
        voiced = cut.get("voiced", (pitch > 0).to(pitch.dtype))
        if before + after:
            pitch = fold_octaves(pitch, voiced, before, after, params.tolerance)
            voiced = voiced[:, before : count - after]
        return {
            "pitch": _running_median(pitch, params.median),
            "voiced": _running_median(voiced, params.median),
        }


def fold_octaves(
    pitch: torch.Tensor, voiced: torch.Tensor, before: int, after: int, tolerance: float
) -> torch.Tensor:
    """Corrects frames that are whole octaves away from the local median of voiced frames.

    Args:
        pitch: Hz ``[streams, before + frames + after]``.
        voiced: 0..1, same shape.
        before: frames of the local median before each frame.
        after: frames of the local median after it.
        tolerance: in semitones.

    Returns:
        Hz ``[streams, frames]``.
    """
    here = pitch[:, before : pitch.shape[1] - after]
    known = (voiced > 0.5) & (pitch > 0)
    octaves = torch.where(known, pitch, torch.nan).log2()
    middle = octaves.unfold(1, before + 1 + after, 1).nanmedian(2).values
    off = here.clamp_min(1e-6).log2() - middle  # NaN where nothing around is voiced
    whole = off.round()
    wrong = (here > 0) & (whole != 0) & ((off - whole).abs() * 12 <= tolerance)
    return torch.where(wrong, here * torch.exp2(-whole), here)


def _running_median(values: torch.Tensor, width: int) -> torch.Tensor:
    """Median over a sliding window: ``[streams, n]`` -> ``[streams, n - width + 1]``."""
    return values.unfold(1, width, 1).median(2).values if width > 1 else values.clone()
