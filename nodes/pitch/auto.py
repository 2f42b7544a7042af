"""``pitch.auto``: shifts the pitch of a speaker to the register of an RVC voice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Duration,
    Features,
    FilePath,
    Hertz,
    In,
    Interval,
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
    SignalType,
    State,
    Tensors,
    format_rate,
    parse_duration,
    register,
)
from voicegraph.graph.files.models import identify
from voicegraph.nodes.dsp.span_crop import SpanCrop
from voicegraph.nodes.pitch._recording_register import check_recording, register_of_recording
from voicegraph.nodes.pitch._register_estimate import RegisterEstimate
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

_UNCERTAINTY, _HALVES_S = 1.3, 3.0
"""Median error of the register in semitones before any speech, and the seconds of voiced speech
after which it is half of that: fitted to 55 speakers of LibriSpeech."""


@dataclass
class AutoState(State):
    """Statistics of each speaker.

    Attributes:
        histogram: as in ``_register_estimate.py``; so are the next four.
        heard: voiced frames so far.
        likelihood: of each register.
        register: the applied register, log2 of Hz.
        begun: 1 once it has been applied.
        track: float64 ``[streams, frames]``, the register applied to each of the newest frames; 0
            where none was known.
    """

    histogram: torch.Tensor
    heard: torch.Tensor
    likelihood: torch.Tensor
    register: torch.Tensor
    begun: torch.Tensor
    track: torch.Tensor


class AutoParams(NodeParams):
    """Params of ``pitch.auto``."""

    target: Hertz | None = Field(None, ge=30, le=1000)
    """Median F0 of the voice. By default that of `recording`, or of the card of `voice`."""
    recording: FilePath | None = None
    """A sound file with some seconds of the voice, on which the target is measured."""
    voice: FilePath | None = None
    """The voice; its card states the target, if it has been measured."""
    range: float = Field(1.0, ge=0, le=3)
    """Scale of the pitch range around the register: 1 keeps it, 0 is monotone."""
    start: Hertz | None = Field(None, ge=30, le=1000)
    """Median F0 of the speaker, if known: about 115 Hz for most men, 205 Hz for most women. By
    default it is estimated, from the first voiced frame on."""
    settle: Duration = Field(parse_duration("15s"), ge=1, le=600)
    """Memory of the estimate, in voiced speech. After a change of speaker the estimate takes about
    0.7 of it."""
    follow: Duration = Field(parse_duration("5s"), ge=Fraction(3, 10), le=600)
    """Time constant with which the applied register follows small errors; large ones are corrected
    sooner. Longer keeps the melody, shorter reaches the target sooner."""
    freeze: Live[bool] = False
    """Holds the shift: nothing is learned until it is false again."""


@register("pitch.auto")
class Auto(Node[AutoParams, AutoState]):
    """Shifts the register of the current speaker to that of a voice, in windows of F0.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> out, a window;
    shift and uncertainty ``[streams, 1, 1]``, both in semitones, one a block. It stands between a
    tracker and ``pitch.cache``, whose transposition is then relative to the register of the voice.

    Each frame is learned from once, when it is new, and shifted as ``pitch.register`` does: ``log2
    out = log2 target + range (log2 F0 - register)``. A frame that the tracker revises keeps the
    register that was applied when it was new. The register glides without jumps, and with
    ``freeze`` it stays where it is. Before the first voiced frame, and in unvoiced ones, nothing
    changes.

    Settling: the register is that of ``pitch.register``, a Bayesian estimate in the first seconds,
    which is followed as ``follow`` says. Over 55 speakers it differs from the median of their whole
    recording by 1.3 semitones (median; 90 %: 4.9) after 0.5 s of voiced speech, by 1.2 (3.2) after
    1 s, by 0.9 (2.1) after 2 s, by 0.4 (0.9) after 5 s. ``uncertainty`` is a curve through these
    medians, ``1.3 / (1 + (s / 3)^2)`` with s the seconds of voiced speech so far, a minute if
    ``start`` is given.

    Source: see ``pitch.register``.
    """

    chunking = "windowed"
    examples = (
        {"target": 190.0},
        {"target": 110.0, "range": 1.4, "start": 180.0, "settle": "1s"},
    )

    pitch = In(Pitch, window=True, doc="F0 in Hz, 0 where unvoiced")
    voiced = In(Mask, window=True, optional=True, doc="voicing, if F0 alone does not show it")
    out = Out(Pitch, like="pitch", window=True, doc="shifted F0 in Hz, 0 where unvoiced")
    shift = Out(Features, dim=1, doc="the shift in force, in semitones, one a block")
    uncertainty = Out(Features, dim=1, doc="median error of the register, in semitones")

    def ports(self, params: AutoParams) -> Ports:
        """As declared.

        Raises:
            PipelineError: if nothing tells the target, or the recording cannot be read.
            WeightsError: if the voice cannot be read.
        """
        if params.target is None and params.recording is not None:
            check_recording(params.recording, f"nodes.{self.name or 'NAME'}.params.recording")
        else:
            self._target_of(params)
        return self.declared

    def _target_of(self, params: AutoParams) -> float:
        where = f"nodes.{self.name or 'NAME'}.params"
        if params.target is not None:
            return params.target
        if params.recording is not None:
            return register_of_recording(params.recording, f"{where}.recording")
        if params.voice is not None and (found := _stated_register(params.voice)) is not None:
            return found
        text = "needs to know where the voice's pitch lies, and nothing says it"
        if params.voice is not None:
            text = f"{params.voice} does not state the pitch of its voice"
        fix = f"{where}.target: 220   (its median in Hz)\nor  {where}.recording: FILE.wav   (of it)"
        raise PipelineError(Problem("no-target", text, fix=fix))

    def infer(self, params: AutoParams, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """The pitch's rate, and one value a block.

        Raises:
            ValueError: if ``voiced`` has another rate.
        """
        rate = inputs["pitch"].rate
        if "voiced" in inputs and inputs["voiced"].rate != rate:
            voiced = format_rate(inputs["voiced"].rate)
            raise ValueError(f"pitch comes at {format_rate(rate)}, but voiced at {voiced}")
        once = Features(1 / self.block, 1)
        return {"out": Pitch(rate), "shift": once, "uncertainty": once}

    def block_rates(self, params: AutoParams) -> tuple[Fraction]:
        """Each block brings a whole number of frames."""
        return (self.input_types["pitch"].rate,)

    def needs(self, params: AutoParams, out: Request) -> Requests:
        """The same span in whole frames."""
        return dict.fromkeys(self.input_types, Request(self.gives(params, out), out.core))

    def gives(self, params: AutoParams, out: Request) -> Interval:
        """The span, extended to whole frames, at least the newest block."""
        span = extend_to_whole_frames(out.interval, self.input_types["pitch"].rate)
        return Interval(min(span.start, span.end - self.block), span.end)

    def load(self, params: AutoParams, device: torch.device, dtype: torch.dtype) -> None:
        """Finds the target, and computes the constants.

        Raises:
            PipelineError: if the recording cannot be read or has no pitch.
            WeightsError: if the voice cannot be read.
        """
        self._target = math.log2(self._target_of(params))
        asked = self.asked["out"]
        self._crops = {port: SpanCrop.between(spec, asked) for port, spec in self.given.items()}
        self._rate = float(asked.rate)
        self._step = int(self.block * asked.rate)
        self._estimate = RegisterEstimate(self._rate, params.settle, params.follow)

    def state(self, params: AutoParams, streams: int) -> AutoState:
        """An estimate without frames."""
        begin = self._estimate.start(streams, params.start)
        frames = self.asked["out"].count
        track = begin["register"][:, None].repeat(1, frames)
        return AutoState(**begin, track=track)

    def process(self, inputs: Tensors, params: AutoParams, state: AutoState) -> Tensors:
        """One window: learns from its newest block, then shifts all frames."""
        hertz = self._crops["pitch"](inputs["pitch"]).numpy()
        sounding = hertz > 0
        octaves = np.log2(np.where(sounding, hertz, 1.0).astype(np.float64))
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        if not params.freeze:
            counts = sounding
            if "voiced" in inputs:
                counts = counts & (self._crops["voiced"](inputs["voiced"]).numpy() > 0.5)
            new = slice(octaves.shape[1] - self._step, None)
            self._learn(octaves[:, new], counts[:, new], held)
        else:
            self._append(np.repeat(held["register"][:, None], self._step, 1), held["track"])
        track = held["track"]
        moved = np.exp2(self._target + params.range * (octaves - track))
        made = np.where(sounding & (track > 0), moved, hertz).astype(np.float32)
        return {"out": torch.from_numpy(made), **self._report(held)}

    def _learn(self, octaves: np.ndarray, counts: np.ndarray, held: dict[str, np.ndarray]) -> None:
        """Follows the speaker over new frames ``[streams, frames]``."""
        track = held["track"]
        heard = held["heard"][:, None] + np.cumsum(counts, 1)
        begins = (held["heard"] == 0) & (heard[:, -1] > 0)
        applied = self._estimate.take(octaves, counts, counts, held)
        self._append(np.where(heard > 0, applied, 0.0), track)
        if begins.any():
            # The tracker may still find that speech began earlier.
            first = np.take_along_axis(applied, np.argmax(heard > 0, 1)[:, None], 1)
            track[:] = np.where(begins[:, None] & (track == 0), first, track)

    def _append(self, applied: np.ndarray, track: np.ndarray) -> None:
        track[:, : -self._step] = track[:, self._step :].copy()
        track[:, -self._step :] = applied

    def _report(self, held: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        register, seconds = held["register"], held["heard"] / self._rate
        shift = np.where(register > 0, 12 * (self._target - register), 0.0)
        error = _UNCERTAINTY / (1 + (seconds / _HALVES_S) ** 2)
        return {
            name: torch.from_numpy(values.astype(np.float32))[:, None, None]
            for name, values in (("shift", shift), ("uncertainty", error))
        }


def _stated_register(voice: Path) -> float | None:
    """The median F0 in Hz that a voice's card states, if it does.

    Raises:
        WeightsError: if the file cannot be read.
    """
    card = identify(voice).card
    for field in ("pitch", "prosody"):  # of RVC voices, and of source-filter voices
        if (found := getattr(getattr(card, field, None), "median_hz", None)) is not None:
            return float(found)
    return None
