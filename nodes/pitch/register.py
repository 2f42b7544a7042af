"""``pitch.register``: moves a speaker's pitch to where another voice speaks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Duration,
    FilePath,
    Hertz,
    In,
    Live,
    Mask,
    Node,
    NodeParams,
    Out,
    PipelineError,
    Pitch,
    Ports,
    Problem,
    Request,
    Requests,
    Semitones,
    SignalType,
    State,
    Tensors,
    format_rate,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp.running_percentile import RunningPercentile
from voicegraph.nodes.dsp.span_crop import crop_to_span
from voicegraph.nodes.dsp.voice_prosody import prosody_of
from voicegraph.nodes.pitch._register_prior import RegisterPrior

_LOWEST, _HIGHEST, _BINS = math.log2(30), math.log2(30 * 2**6), 144
"""Six octaves, in octaves, in steps of half a semitone."""
_GLIDE_S = 0.3
"""Time constant with which what is applied follows the estimate: slower than a syllable."""
_TURN_S = 0.03
"""Time constant of a change of ``transpose``: heard at once, and no click."""
_TOLD_S = 0.5
"""As much speech ``start`` counts for."""
_KNOWN_S = 60.0
"""As much speech was heard of a speaker whose ``start`` is told: nothing need be believed."""


@dataclass
class RegisterState(State):
    """What is known of each speaker.

    Attributes:
        histogram: float64 ``[streams, bins]``, how often each pitch was heard.
        heard: int64 ``[streams]``, voiced frames so far; a minute's, where a start was given.
        likelihood: float64 ``[streams, registers]``, what they say of each register.
        register: float64 ``[streams]``, the register that is applied, log2 of Hz.
        transpose: float64 ``[streams]``, the transposition that is applied, in octaves.
    """

    histogram: torch.Tensor
    heard: torch.Tensor
    likelihood: torch.Tensor
    register: torch.Tensor
    transpose: torch.Tensor


class RegisterParams(NodeParams):
    """Params of ``pitch.register``."""

    mode: Literal["register", "fixed"] = "register"
    """Whether the register is moved to the target, or by `transpose` alone."""
    target: Hertz | None = Field(None, ge=30, le=1000)
    """Median of the F0 of the voice that is to speak. By default as the `voice` says."""
    voice: FilePath | None = None
    """The voice that is to speak: its card tells the target."""
    transpose: Live[Semitones] = Field(0.0, ge=-36, le=36)
    """How much higher it is made, in semitones, than the target or, if `fixed`, than it was."""
    range: float = Field(1.0, ge=0, le=3)
    """How wide the melody becomes around the register: 1 as it was, 0 monotonous."""
    start: Hertz | None = Field(None, ge=30, le=1000)
    """Median of the speaker's own F0, where it is known: about 115 Hz for most men, 205 Hz for
    most women. By default found out, from the first voiced frame on."""
    settle: Duration = Field(parse_duration("15s"), ge=1, le=600)
    """Memory of the estimate, in voiced speech: another speaker is known for one after about
    0.7 of it."""


@register("pitch.register")
class Register(Node[RegisterParams, RegisterState]):
    """Brings the register of whoever speaks to that of a voice, as they speak.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> streams pitch and
    voiced. Of a window each frame is taken once, when it is new.

    A register is the median of log F0 over voiced frames; it is estimated all the time, from a
    histogram with a memory of ``settle`` of voiced speech. F0 moves by the distance to ``target``,
    so melody and range stay: ``log2 out = log2 target + range (log2 F0 - register) + transpose /
    12``. With ``mode: fixed`` F0 moves by ``transpose`` alone. What is applied follows the estimate
    with a time constant of 0.3 s: it glides and never jumps, though F0 itself may.

    Settling: in the first seconds the register is what is probable of a speaker, from how registers
    of people are distributed and that speech begins high; or ``start``, where the speaker is known.
    Over 174 speakers, from whom these constants are, too, what is applied is off from the median
    of their 14 s by 1.3 semitones (median; 90 %: 3.8) after 0.5 s of voiced speech, by 1.2 (3.2)
    after 1 s, by 0.5 (1.7) after 2 s.

    Unvoiced frames stay 0. Frames that the estimator filled in (F0 where ``voiced`` is 0) move
    along and do not count. Without ``voiced``, what is not 0 Hz is voiced.

    Source: shifting the mean of log F0 is the usual conversion of pitch, as in K. Liu, J. Zhang and
    Y. Yan, "High quality voice conversion through phoneme-based linear mapping functions with
    STRAIGHT for Mandarin", FSKD 2007; octave errors do not move the median.
    """

    chunking = "exact"
    examples = (
        {"target": 190.0},
        {"target": 110.0, "range": 1.4, "start": 180.0, "settle": "1s", "transpose": -2.0},
        {"mode": "fixed", "transpose": 7.0},
    )

    pitch = In(Pitch, window=True, doc="F0 in Hz, 0 where unvoiced")
    voiced = In(Mask, window=True, optional=True, doc="its voicing, where F0 alone does not tell")

    def ports(self, params: RegisterParams) -> Ports:
        """Outputs bear the names of the inputs, which class attributes cannot.

        Raises:
            PipelineError: if nothing says what the target is.
            WeightsError: if the voice does not.
        """
        if params.mode == "register":
            self._target_of(params)
        pitch = Out(Pitch, like="pitch", doc="F0 in Hz, moved, 0 where unvoiced")
        voiced = Out(Mask, like="pitch", doc="1 where voiced")
        return Ports(type(self).declared.inputs, {"pitch": pitch, "voiced": voiced})

    def _target_of(self, params: RegisterParams) -> float:
        where = f"nodes.{self.name or 'NAME'}.params"
        if params.target is not None:
            return params.target
        if params.voice is not None:
            return prosody_of(params.voice, f"{where}.target: 190   (in Hz)").median_hz
        text = "needs to know where the pitch should lie, and neither `target` nor `voice` says it"
        fix = f"{where}.target: 190   (in Hz)\nor  {where}.mode: fixed"
        raise PipelineError(Problem("no-target", text, fix=fix))

    def infer(
        self, params: RegisterParams, inputs: Mapping[str, SignalType]
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

    def needs(self, params: RegisterParams, out: Request) -> Requests:
        """The block."""
        return dict.fromkeys(self.input_types, out)

    def load(self, params: RegisterParams, device: torch.device, dtype: torch.dtype) -> None:
        """Makes the constants."""
        if params.mode == "register":
            self._target = math.log2(self._target_of(params))
        self._rate = float(self.asked["pitch"].rate)
        memory = float(params.settle) * self._rate
        self._median = RunningPercentile(_LOWEST, _HIGHEST, _BINS, 0.5, memory)
        self._prior = RegisterPrior(self._rate)
        self._follow = 1 - math.exp(-1 / (_GLIDE_S * self._rate))
        self._turn = 1 - math.exp(-1 / (_TURN_S * self._rate))

    def state(self, params: RegisterParams, streams: int) -> RegisterState:
        """Knows ``start``, or nothing."""
        known = params.start is not None
        start = math.log2(params.start) if params.start is not None else 0.0
        count = _TOLD_S * self._rate if known else 0.0
        return RegisterState(
            torch.from_numpy(self._median.prefilled(streams, start, count)),
            torch.full((streams,), int(_KNOWN_S * self._rate) if known else 0),
            torch.zeros(streams, self._prior.size, dtype=torch.float64),
            torch.full((streams,), start, dtype=torch.float64),
            torch.full((streams,), params.transpose / 12, dtype=torch.float64),
        )

    def process(self, inputs: Tensors, params: RegisterParams, state: RegisterState) -> Tensors:
        """One block, frame by frame."""
        asked = self.asked["pitch"]
        pitch = crop_to_span(inputs["pitch"], self.given["pitch"], asked)
        voiced = (pitch > 0).to(pitch.dtype)
        if "voiced" in inputs:
            voiced = crop_to_span(inputs["voiced"], self.given["voiced"], asked)
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        sounding = pitch.numpy() > 0
        octaves = np.log2(np.where(sounding, pitch.numpy(), 1.0).astype(np.float64))
        moved = np.empty_like(octaves)
        for k in range(octaves.shape[1]):
            counts = sounding[:, k] & (voiced[:, k].numpy() > 0.5)
            moved[:, k] = self._frame(octaves[:, k], counts, params, held)
        made = np.where(sounding, np.exp2(moved), pitch.numpy()).astype(np.float32)
        return {"pitch": torch.from_numpy(made), "voiced": voiced.clone()}

    def _frame(
        self,
        octaves: np.ndarray,
        counts: np.ndarray,
        params: RegisterParams,
        held: dict[str, np.ndarray],
    ) -> np.ndarray:
        """Where F0 of one frame goes, ``[streams]``, log2 of Hz; ``held`` is changed in place."""
        heard, applied, transpose = held["heard"], held["register"], held["transpose"]
        first = counts & (heard == 0)
        self._median.update(held["histogram"], octaves, counts)
        if (self._prior.weight(heard) > 0).any():
            self._prior.update(held["likelihood"], octaves, counts, heard)
        heard += counts
        found = self._found(held)
        applied[first] = found[first]
        applied += np.where(heard > 0, self._follow * (found - applied), 0.0)
        transpose += self._turn * (params.transpose / 12 - transpose)
        around = self._target if params.mode == "register" else applied
        return around + params.range * (octaves - applied) + transpose

    def _found(self, held: dict[str, np.ndarray]) -> np.ndarray:
        """The register, ``[streams]``, log2 of Hz: believed at first, then counted."""
        counted = self._median.read(held["histogram"])
        share = self._prior.weight(held["heard"])
        if not share.any():
            return counted
        return counted + share * (self._prior.median(held["likelihood"]) - counted)
