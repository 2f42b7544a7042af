"""``dsp.eq``: an equaliser of two shelves, three bells, a high-pass and a low-pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Hertz,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    SignalType,
    State,
    Tensors,
    format_rate,
    register,
)
from voicegraph.nodes.dsp import _matched_biquads as design

_GLIDE_S = 0.03
"""Time constant of frequencies, gains and widths that change."""
_STEPS_HZ = 2000
"""So often are the coefficients computed again during a change. In 0.5 ms a gain that goes from 0
to 12 dB moves by 0.2 dB at most."""
_SETTLED = 1e-7
"""Distance to the target, in octaves or dB, at which a glide ends."""
_FLOOR = 1e-30
"""Filter memory below this is set to 0: it would decay to denormal numbers, which are slow."""
_HIGHEST = 0.9999 * math.pi
"""Radians a sample; at pi the design divides by zero."""
_FLAT_Q = math.sqrt(0.5)
"""The steepest shelf that does not overshoot."""
_BELLS = ("low_mid", "mid", "high_mid")
_BANDS = ("highpass", "low", *_BELLS, "high", "lowpass")
"""In the order in which they follow one another."""


@dataclass
class EqState(State):
    """What a stream remembers, each ``[streams, ...]``.

    Attributes:
        position: int64 ``[streams]``, samples so far.
        bands: float64 ``[streams, bands, 3]``, in force after the newest sample: log2 of the
            frequency, gain in dB (of the high-pass and low-pass: 0 off, 1 on), log2 of Q.
        sections: float64 ``[streams, sections, 6]``, the coefficients for them; out of date while
            they glide.
        memory: float64 ``[streams, channels, sections, 2]``, delay elements.
    """

    position: torch.Tensor
    bands: torch.Tensor
    sections: torch.Tensor
    memory: torch.Tensor


class EqParams(NodeParams):
    """Params of ``dsp.eq``."""

    highpass: Live[Hertz] = Field(0.0, ge=0, le=20000)
    """Cutoff of the high-pass (-3 dB); 0 switches it off."""
    low_gain: Live[Decibels] = Field(0.0, ge=-24, le=24)
    """Gain of the low shelf, below `low_frequency`."""
    low_frequency: Live[Hertz] = Field(150.0, ge=10, le=20000)
    """Frequency at which the low shelf has half its gain in dB."""
    low_mid_gain: Live[Decibels] = Field(0.0, ge=-24, le=24)
    """Gain of the first bell."""
    low_mid_frequency: Live[Hertz] = Field(350.0, ge=10, le=20000)
    """Centre of the first bell."""
    low_mid_q: Live[float] = Field(1.0, ge=0.1, le=30, allow_inf_nan=False)
    """Centre over bandwidth of the first bell: 0.5 is broad, 8 narrow."""
    mid_gain: Live[Decibels] = Field(0.0, ge=-24, le=24)
    """Gain of the second bell."""
    mid_frequency: Live[Hertz] = Field(1200.0, ge=10, le=20000)
    """Centre of the second bell."""
    mid_q: Live[float] = Field(1.0, ge=0.1, le=30, allow_inf_nan=False)
    """Centre over bandwidth of the second bell."""
    high_mid_gain: Live[Decibels] = Field(0.0, ge=-24, le=24)
    """Gain of the third bell."""
    high_mid_frequency: Live[Hertz] = Field(3500.0, ge=10, le=20000)
    """Centre of the third bell."""
    high_mid_q: Live[float] = Field(1.0, ge=0.1, le=30, allow_inf_nan=False)
    """Centre over bandwidth of the third bell."""
    high_gain: Live[Decibels] = Field(0.0, ge=-24, le=24)
    """Gain of the high shelf, above `high_frequency`."""
    high_frequency: Live[Hertz] = Field(7000.0, ge=10, le=20000)
    """Frequency at which the high shelf has half its gain in dB."""
    lowpass: Live[Hertz] = Field(0.0, ge=0, le=20000)
    """Cutoff of the low-pass (-3 dB); 0 switches it off."""
    slope: Literal[12, 24, 36, 48] = 12
    """Slope of the high-pass and the low-pass in dB an octave."""

    def frequencies(self) -> dict[str, float]:
        """The frequency of each band in use, by the param that states it."""
        filters = {name: getattr(self, name) for name in ("highpass", "lowpass")}
        bands = {
            f"{name}_frequency": getattr(self, f"{name}_frequency")
            for name in ("low", *_BELLS, "high")
            if getattr(self, f"{name}_gain")
        }
        return {name: hertz for name, hertz in (filters | bands).items() if hertz}


@register("dsp.eq")
class Eq(Node[EqParams, EqState]):
    """Equaliser: audio ``[streams, channels, samples]`` -> the same type, without latency.

    High-pass, low shelf, three bells, high shelf and low-pass, one after the other; a second node
    gives more bands. A band at 0 dB, and a filter at 0 Hz, change nothing, bit for bit. The
    magnitudes follow analog filters up to half the rate, where those of the bilinear transform bend
    away: with bands up to a quarter of the rate and ±12 dB, shelves differ from them by 0.3 dB at
    most and bells by 0.8 dB (bilinear: 1.9 and 7.6). All params but ``slope`` may change while it
    runs: frequencies (in octaves), gains (in dB) and widths glide with a time constant of 30 ms,
    and the filters go on from their state, so that nothing clicks.

    Source: ``_matched_biquads.py``. High-pass and low-pass are cascades with the Q values of
    Butterworth's filters, as ``dsp.highpass``.
    """

    releases_gil = True
    examples = (
        {"low_gain": 6.0, "mid_gain": -9.0, "mid_q": 2.0, "high_gain": 4.0},
        {"highpass": 80.0, "lowpass": 6000.0, "slope": 24, "high_mid_gain": 3.0},
    )

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def infer(self, params: EqParams, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """The input's type.

        Raises:
            ValueError: if a band in use is not below half of the rate.
        """
        _check_below_half(params, inputs["audio"])
        return {"out": inputs["audio"]}

    def check_change(self, params: EqParams, new: EqParams) -> None:
        """A band in use stays below half of the rate."""
        _check_below_half(new, self.input_types["audio"])

    def load(self, params: EqParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants."""
        from scipy.signal import sosfilt

        self._filter = sosfilt
        self._rate = float(self.input_types["audio"].rate)
        self._step = max(round(self._rate / _STEPS_HZ), 1)
        self._decay = -1.0 / (_GLIDE_S * self._rate)
        order = params.slope // 6
        turn = (2 * np.arange(order // 2) + 1) * np.pi / (2 * order)
        self._butterworth = 1 / (2 * np.cos(turn))

    def state(self, params: EqParams, streams: int) -> EqState:
        """At the targets, so that nothing glides at first; silence."""
        off = np.zeros((len(_BANDS), 3))
        off[:, 0] = math.log2(100.0)  # a filter that is off has no frequency of its own
        bands = torch.from_numpy(_targets(params, off)).repeat(streams, 1, 1)
        sections = torch.from_numpy(self._sections(bands.numpy()))
        shape = (streams, self.input_types["audio"].width or 1, sections.shape[1], 2)
        memory = torch.zeros(shape, dtype=torch.float64)
        return EqState(torch.zeros(streams, dtype=torch.int64), bands, sections, memory)

    def process(self, inputs: Tensors, params: EqParams, state: EqState) -> Tensors:
        """One block, stream by stream, since each may have other coefficients."""
        audio = inputs["audio"].numpy()
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        given = list(audio)
        made = [
            self._stream(samples, params, {name: values[k] for name, values in held.items()})
            for k, samples in enumerate(given)
        ]
        state.position += audio.shape[2]
        if all(new is old for new, old in zip(made, given, strict=True)):
            return {"out": inputs["audio"]}
        return {"out": torch.from_numpy(np.stack(made).astype(np.float32, copy=False))}

    def _stream(
        self, audio: np.ndarray, params: EqParams, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """One stream ``[channels, samples]``; the same array if no band does anything."""
        bands, memory = held["bands"], held["memory"]
        targets = _targets(params, bands)
        count = audio.shape[1]
        if np.array_equal(bands, targets):
            return self._apply(audio, held["sections"][None], [count], memory)
        first = self._step - int(held["position"]) % self._step
        ends = np.arange(first, count + self._step, self._step)
        path = targets + (bands - targets) * np.exp(ends * self._decay)[:, None, None]
        made = self._apply(audio, self._sections(path), [*ends[:-1].tolist(), count], memory)
        bands[:] = targets + (bands - targets) * math.exp(count * self._decay)
        if np.abs(bands - targets).max() < _SETTLED:
            bands[:] = targets
            held["sections"][:] = self._sections(bands)
        return made

    def _apply(
        self, audio: np.ndarray, sections: np.ndarray, ends: list[int], memory: np.ndarray
    ) -> np.ndarray:
        """Filters piece by piece, without the sections that are neutral and remember nothing.

        Args:
            audio: ``[channels, samples]``.
            sections: the coefficients of each piece ``[pieces, sections, 6]``.
            ends: where each piece ends, in samples.
            memory: ``[channels, sections, 2]``; changed.
        """
        acts = (sections[..., :3] != sections[..., 3:]).any((0, 2)) | memory.any((0, 2))
        if not acts.any():
            return audio
        kept = np.ascontiguousarray(memory[:, acts].transpose(1, 0, 2))
        active = np.compress(acts, sections, 1)
        wide, made = audio.astype(np.float64), []
        for (begin, end), part in zip(itertools.pairwise([0, *ends]), active, strict=True):
            filtered, kept = self._filter(part, wide[:, begin:end], zi=kept)
            made.append(filtered)
        kept[np.abs(kept) < _FLOOR] = 0.0
        memory[:, acts] = kept.transpose(1, 0, 2)
        return made[0] if len(made) == 1 else np.concatenate(made, 1)

    def _sections(self, bands: np.ndarray) -> np.ndarray:
        """Coefficients of ``bands`` ``[..., bands, 3]``: ``[..., sections, 6]``."""
        radians = np.exp2(bands[..., 0]) * (2 * np.pi / self._rate)
        radians = np.minimum(radians, _HIGHEST)  # of a band that is not in use
        amount, q = bands[..., 1], np.exp2(bands[..., 2])
        flat, filters = np.full(1, _FLAT_Q), self._butterworth
        last = len(_BANDS) - 1
        parts = [
            _mixed(design.highpass(radians[..., :1], filters), amount[..., :1]),
            design.low_shelf(radians[..., 1:2], amount[..., 1:2], flat),
            design.bell(radians[..., 2:5], amount[..., 2:5], q[..., 2:5]),
            design.high_shelf(radians[..., 5:6], amount[..., 5:6], flat),
            _mixed(design.lowpass(radians[..., last:], filters), amount[..., last:]),
        ]
        return np.concatenate(parts, -2)


def _check_below_half(params: EqParams, audio: SignalType) -> None:
    limit = float(audio.rate / 2)
    for name, hertz in params.frequencies().items():
        if hertz >= limit:
            raise ValueError(
                f"{name} is {hertz:g} Hz, but must be below half of the input's rate of "
                f"{format_rate(audio.rate)}, {limit:g} Hz"
            )


def _targets(params: EqParams, bands: np.ndarray) -> np.ndarray:
    """Where ``bands`` ``[bands, 3]`` go.

    A filter that is switched off keeps its frequency while it fades out; one that was off has its
    own at once. Changes ``bands`` for the latter.
    """
    made = bands.copy()
    for k, name in enumerate(_BANDS):
        if name in ("highpass", "lowpass"):
            hertz = getattr(params, name)
            made[k, 1] = 1.0 if hertz else 0.0
            if hertz:
                made[k, 0] = math.log2(hertz)
                if bands[k, 1] == 0.0:
                    bands[k, 0] = made[k, 0]
            continue
        made[k, 0] = math.log2(getattr(params, f"{name}_frequency"))
        made[k, 1] = getattr(params, f"{name}_gain")
        made[k, 2] = math.log2(getattr(params, f"{name}_q")) if name in _BELLS else 0.0
    return made


def _mixed(sections: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``1 - share`` of the input beside ``share`` of what each section makes of it."""
    made = sections.copy()
    part = share[..., None]
    made[..., :3] = (1 - part) * sections[..., 3:] + part * sections[..., :3]
    return made
