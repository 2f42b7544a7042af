"""``pitch.register``: shifts the pitch of a speaker to the register of another voice."""

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
from voicegraph.nodes.dsp.span_crop import SpanCrop
from voicegraph.nodes.dsp.voice_prosody import prosody_of
from voicegraph.nodes.pitch._register_estimate import RegisterEstimate

_TURN_S = 0.03
"""Time constant of a change of ``transpose``: quick, but without a click."""


@dataclass
class RegisterState(State):
    """Statistics of each speaker.

    Attributes:
        histogram: float64 ``[streams, bins]``, histogram of log F0.
        heard: int64 ``[streams]``, voiced frames so far; starts at one minute if ``start`` is
            given.
        likelihood: float64 ``[streams, registers]``, log-likelihood of each register.
        register: float64 ``[streams]``, the applied register, log2 of Hz.
        transpose: float64 ``[streams]``, the applied transposition in octaves.
    """

    histogram: torch.Tensor
    heard: torch.Tensor
    likelihood: torch.Tensor
    register: torch.Tensor
    transpose: torch.Tensor


class RegisterParams(NodeParams):
    """Params of ``pitch.register``."""

    mode: Literal["register", "fixed"] = "register"
    """`register` shifts the register to the target; `fixed` shifts by `transpose` alone."""
    target: Hertz | None = Field(None, ge=30, le=1000)
    """Median F0 of the target voice. By default that of the `voice`."""
    voice: FilePath | None = None
    """The target voice; its card states the target."""
    transpose: Live[Semitones] = Field(0.0, ge=-36, le=36)
    """Transposition in semitones, relative to the target or, if `fixed`, to the input."""
    range: float = Field(1.0, ge=0, le=3)
    """Scale of the pitch range around the register: 1 keeps it, 0 is monotone."""
    start: Hertz | None = Field(None, ge=30, le=1000)
    """Median F0 of the speaker, if known: about 115 Hz for most men, 205 Hz for most women. By
    default it is estimated, from the first voiced frame on."""
    settle: Duration = Field(parse_duration("15s"), ge=1, le=600)
    """Memory of the estimate, in voiced speech. After a change of speaker the estimate takes about
    0.7 of it."""


@register("pitch.register")
class Register(Node[RegisterParams, RegisterState]):
    """Shifts the register of the current speaker to that of a voice.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> streams pitch and
    voiced. Each frame of a window is used once, when it is new.

    The register is the median of log F0 over voiced frames. It is estimated continuously, by a
    histogram with a memory of ``settle`` of voiced speech. F0 is shifted by the distance to
    ``target``, which keeps the melody: ``log2 out = log2 target + range (log2 F0 - register) +
    transpose / 12``. With ``mode: fixed`` F0 is shifted by ``transpose`` alone. The applied
    register follows the estimate with a time constant of 0.3 s, without jumps.

    Settling: in the first seconds the register is a Bayesian estimate, from the distribution of
    registers and from the fact that speech begins high; or ``start``, if the speaker is known. Over
    174 speakers (the constants come from the same ones), the applied register differs from the
    median of their 14 s by 1.3 semitones (median; 90 %: 3.8) after 0.5 s of voiced speech, by 1.2
    (3.2) after 1 s, by 0.5 (1.7) after 2 s.

    Unvoiced frames stay 0. Frames that the estimator filled in (F0 where ``voiced`` is 0) are
    shifted, but not counted. Without ``voiced``, frames above 0 Hz are voiced.

    Source: shifting the mean of log F0 is the usual conversion of pitch, as in K. Liu, J. Zhang and
    Y. Yan, "High quality voice conversion through phoneme-based linear mapping functions with
    STRAIGHT for Mandarin", FSKD 2007; octave errors do not move the median.
    """

    examples = (
        {"target": 190.0},
        {"target": 110.0, "range": 1.4, "start": 180.0, "settle": "1s", "transpose": -2.0},
        {"mode": "fixed", "transpose": 7.0},
    )

    pitch = In(Pitch, window=True, doc="F0 in Hz, 0 where unvoiced")
    voiced = In(Mask, window=True, optional=True, doc="voicing, if F0 alone does not show it")

    def ports(self, params: RegisterParams) -> Ports:
        """Outputs have the names of the inputs, which is not possible with class attributes.

        Raises:
            PipelineError: if neither ``target`` nor ``voice`` is given.
            WeightsError: if the card of the voice does not state the target.
        """
        if params.mode == "register":
            self._target_of(params)
        pitch = Out(Pitch, like="pitch", doc="shifted F0 in Hz, 0 where unvoiced")
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
        """The newest block."""
        return dict.fromkeys(self.input_types, out)

    def load(self, params: RegisterParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants.

        Raises:
            WeightsError: if the card of the voice does not state the target.
        """
        if params.mode == "register":
            self._target = math.log2(self._target_of(params))
        asked = self.asked["pitch"]
        self._crops = {port: SpanCrop.between(spec, asked) for port, spec in self.given.items()}
        self._rate = float(asked.rate)
        self._estimate = RegisterEstimate(self._rate, params.settle)
        self._turn = 1 - math.exp(-1 / (_TURN_S * self._rate))

    def state(self, params: RegisterParams, streams: int) -> RegisterState:
        """An estimate without frames; the transposition in force."""
        transpose = torch.full((streams,), params.transpose / 12, dtype=torch.float64)
        return RegisterState(**self._estimate.start(streams, params.start), transpose=transpose)

    def process(self, inputs: Tensors, params: RegisterParams, state: RegisterState) -> Tensors:
        """One block: all its frames at once, but for what follows from frame to frame."""
        pitch = self._crops["pitch"](inputs["pitch"])
        voiced = (pitch > 0).to(pitch.dtype)
        if "voiced" in inputs:
            voiced = self._crops["voiced"](inputs["voiced"])
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        hertz = pitch.numpy()
        sounding = hertz > 0
        octaves = np.log2(np.where(sounding, hertz, 1.0).astype(np.float64))
        counts = sounding & (voiced.numpy() > 0.5)
        applied = self._estimate.take(octaves, counts, held)
        transpose = self._turned(params.transpose / 12, octaves.shape[1], held)
        around = self._target if params.mode == "register" else applied
        moved = around + params.range * (octaves - applied) + transpose
        made = np.where(sounding, np.exp2(moved), hertz).astype(np.float32)
        return {"pitch": torch.from_numpy(made), "voiced": voiced.clone()}

    def _turned(self, wanted: float, frames: int, held: dict[str, np.ndarray]) -> np.ndarray:
        """The applied transposition in octaves, ``[streams, frames or 1]``; changes ``held``."""
        transpose = held["transpose"]
        if (transpose == wanted).all():
            return transpose[:, None]
        made = np.empty((len(transpose), frames))
        for k in range(frames):
            transpose += self._turn * (wanted - transpose)
            made[:, k] = transpose
        return made
