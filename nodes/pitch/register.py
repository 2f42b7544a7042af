"""``pitch.register``: shifts the pitch of a speaker to the register of another voice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
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
        begun: int64 ``[streams]``, 1 once the register has been applied to a voiced frame.
        transpose: float64 ``[streams]``, the applied transposition in octaves.
        ahead: float32 ``[streams, 2, frames]``, pitch and voicing of the frames of ``lookahead``,
            which have been learned from and are still to be shifted.
    """

    histogram: torch.Tensor
    heard: torch.Tensor
    likelihood: torch.Tensor
    register: torch.Tensor
    begun: torch.Tensor
    transpose: torch.Tensor
    ahead: torch.Tensor


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
    follow: Duration = Field(parse_duration("60s"), ge=Fraction(3, 10), le=600)
    """Time constant with which the applied register follows small errors; large ones are corrected
    sooner. Longer keeps the melody, shorter reaches the target sooner."""
    lookahead: Duration = Field(Fraction(0), ge=0, le=60)
    """How far ahead of the shifted frames the estimate learns: for files, where latency does not
    matter. Rounded up to whole frames; not used if `fixed`."""


@register("pitch.register")
class Register(Node[RegisterParams, RegisterState]):
    """Shifts the register of the current speaker to that of a voice.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> streams pitch and
    voiced. Each frame of a window is used once, when it is new.

    The register is the median of log F0 over voiced frames. It is estimated continuously, by a
    histogram with a memory of ``settle`` of voiced speech. F0 is shifted by the distance to
    ``target``, which keeps the melody: ``log2 out = log2 target + range (log2 F0 - register) +
    transpose / 12``. With ``mode: fixed`` F0 is shifted by ``transpose`` alone.

    Settling: in the first seconds the register is a Bayesian estimate, from the distribution of
    registers and from the fact that speech begins high; or ``start``, if the speaker is known. The
    applied register begins with it at the first voiced frame and then follows without jumps: fast
    in the first quarter of a second of voiced speech and where the error is large, with the time
    constant ``follow`` where it is small. A shift that is a semitone off is hardly noticed, one
    that moves by a semitone bends the melody.

    Computed for the first 6 s of recordings of 166 speakers who are in no evaluation, each with at
    least 3 s of voiced speech: the median distance of the shift from its own median, and that of
    the first second (means over speakers); and how wrong the register is after 1, 2 and 5 s of
    voiced speech (medians over speakers):

    * ``follow: 0.3s``: 50 cents, 1.4 semitones; 1.2, 0.5, 0.2 semitones.
    * ``5s``: 36 cents, 1.1 semitones; 1.2, 0.8, 0.3 semitones.
    * ``60s``: 14 cents, 0.5 semitones; 1.2, 1.2, 0.9 semitones.
    * ``60s`` with a ``lookahead`` of 4 s: 3 cents, 0.1 semitones; 0.5, 0.5, 0.5 semitones.

    Spectral features do not help: neither a regression on mean cepstra nor a small network on mel
    spectra tells the register better than F0 alone within 2 s of voiced speech.

    Unvoiced frames stay 0. Frames that the estimator filled in (F0 where ``voiced`` is 0) are
    shifted, but not counted; before the first voiced frame they stay as they are. Without
    ``voiced``, frames above 0 Hz are voiced.

    Source: shifting the mean of log F0 is the usual conversion of pitch, as in K. Liu, J. Zhang and
    Y. Yan, "High quality voice conversion through phoneme-based linear mapping functions with
    STRAIGHT for Mandarin", FSKD 2007; octave errors do not move the median.
    """

    examples = (
        {"target": 190.0},
        {"target": 110.0, "range": 1.4, "start": 180.0, "settle": "1s", "transpose": -2.0},
        {"target": 150.0, "follow": "3s", "lookahead": "130ms"},
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
        """The newest block, later by the look-ahead."""
        ahead = self._ahead(params) / self.input_types["pitch"].rate
        return dict.fromkeys(self.input_types, out.shift(ahead))

    def _ahead(self, params: RegisterParams) -> int:
        """The look-ahead in frames."""
        if params.mode == "fixed":
            return 0
        return math.ceil(params.lookahead * self.input_types["pitch"].rate)

    def load(self, params: RegisterParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants.

        Raises:
            WeightsError: if the card of the voice does not state the target.
        """
        if params.mode == "register":
            self._target = math.log2(self._target_of(params))
        asked = self.asked["pitch"]
        later = self._ahead(params) / asked.rate
        span = replace(asked, interval=asked.interval.shift(later))
        self._crops = {port: SpanCrop.between(spec, span) for port, spec in self.given.items()}
        self._rate = float(asked.rate)
        self._estimate = RegisterEstimate(self._rate, params.settle, params.follow)
        self._turn = 1 - math.exp(-1 / (_TURN_S * self._rate))

    def state(self, params: RegisterParams, streams: int) -> RegisterState:
        """An estimate without frames; the transposition in force."""
        transpose = torch.full((streams,), params.transpose / 12, dtype=torch.float64)
        begin = self._estimate.start(streams, params.start)
        ahead = torch.zeros(streams, 2, self._ahead(params))
        return RegisterState(**begin, transpose=transpose, ahead=ahead)

    def process(self, inputs: Tensors, params: RegisterParams, state: RegisterState) -> Tensors:
        """One block: all its frames at once, but for what follows from frame to frame."""
        newest = self._crops["pitch"](inputs["pitch"])
        voicing = (newest > 0).to(newest.dtype)
        if "voiced" in inputs:
            voicing = self._crops["voiced"](inputs["voiced"])
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        pitch, voiced = self._delayed(newest.numpy(), voicing.numpy(), held)
        applied = self._estimate.take(
            _octaves(newest.numpy()), _counting(newest.numpy(), voicing.numpy()),
            _counting(pitch, voiced), held,
        )  # fmt: skip
        octaves = _octaves(pitch)
        transpose = self._turned(params.transpose / 12, octaves.shape[1], held)
        around = self._target if params.mode == "register" else applied
        moved = around + params.range * (octaves - applied) + transpose
        known = (pitch > 0) & ((applied > 0) | (params.mode == "fixed"))
        made = np.where(known, np.exp2(moved), pitch).astype(np.float32)
        return {"pitch": torch.from_numpy(made), "voiced": torch.from_numpy(voiced.copy())}

    def _delayed(
        self, pitch: np.ndarray, voiced: np.ndarray, held: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The frames to be shifted, ``[streams, frames]`` each: earlier by the look-ahead."""
        ahead, frames = held["ahead"], pitch.shape[1]
        if not ahead.shape[2]:
            return pitch, voiced
        line = np.concatenate((ahead, np.stack((pitch, voiced), 1)), 2)
        ahead[:] = line[:, :, frames:]
        return line[:, 0, :frames], line[:, 1, :frames]

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


def _octaves(hertz: np.ndarray) -> np.ndarray:
    """Log2 of F0; 0 where it is unvoiced."""
    return np.log2(np.where(hertz > 0, hertz, 1.0).astype(np.float64))


def _counting(hertz: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Frames that tell of the register: voiced, and not filled in."""
    return (hertz > 0) & (voiced > 0.5)
