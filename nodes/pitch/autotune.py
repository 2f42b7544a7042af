"""``pitch.autotune``: moves the pitch towards the notes of a scale."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

import numpy as np
import torch
from pydantic import BeforeValidator, Field, field_validator

from voicegraph.graph import (
    Hertz,
    In,
    Interval,
    Live,
    Mask,
    Milliseconds,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Request,
    Requests,
    Semitones,
    SignalType,
    State,
    Tensors,
    format_rate,
    register,
)
from voicegraph.nodes.dsp.span_crop import SpanCrop
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

Key = Literal["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
_KEYS = get_args(Key)
_SCALES: dict[str, tuple[int, ...]] = {
    "chromatic": tuple(range(12)),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "major_pentatonic": (0, 2, 4, 7, 9),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "whole_tone": (0, 2, 4, 6, 8, 10),
}
"""Semitones above the key."""
Scale = Literal[
    "chromatic",
    "major",
    "minor",
    "harmonic_minor",
    "melodic_minor",
    "major_pentatonic",
    "minor_pentatonic",
    "blues",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "whole_tone",
]
_NOTE = re.compile(r"([A-Ga-g])([#b♯♭]?)")
_A4 = 69
"""MIDI number of the reference."""


def _listed(value: Any) -> Any:
    """A list of notes as text."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def pitch_classes(notes: str) -> tuple[int, ...]:
    """Semitones above C of note names separated by spaces or commas, ascending.

    Raises:
        ValueError: if one of them is no name of a note.
    """
    found = set()
    for name in re.split(r"[\s,]+", notes.strip()):
        match = _NOTE.fullmatch(name)
        if match is None:
            raise ValueError(f"expected names of notes such as C Eb F# G, found {name!r:.20}")
        shift = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(match[2], 0)
        found.add((_KEYS.index(match[1].upper()) + shift) % 12)
    return tuple(sorted(found))


@dataclass
class AutotuneState(State):
    """What each of the newest frames was and became, the oldest before the window.

    Attributes:
        given: float64 ``[streams, 1 + frames]``, F0 in Hz as it came, 0 where not corrected.
        note: float64, same shape: the chosen note as a MIDI number, NaN where there is none.
        correction: float64, same shape: applied, in semitones.
    """

    given: torch.Tensor
    note: torch.Tensor
    correction: torch.Tensor


class AutotuneParams(NodeParams):
    """Params of ``pitch.autotune``."""

    key: Live[Key] = "C"
    """Key of the scale."""
    scale: Live[Scale] = "chromatic"
    """Which notes above the key are sung; `chromatic` takes all twelve."""
    notes: Live[Annotated[str, BeforeValidator(_listed)]] = Field("", max_length=200)
    """Names of the notes instead of key and scale, such as `C Eb F G Bb`; empty takes the scale."""
    reference: Live[Hertz] = Field(440.0, ge=380, le=480)
    """Frequency of the A above middle C."""
    strength: Live[float] = Field(1.0, ge=0, le=1, allow_inf_nan=False)
    """Part of the distance to the note that is corrected; 0 changes nothing."""
    glide: Live[Milliseconds] = Field(25.0, ge=0, le=1000)
    """Time constant with which the correction follows: 0 jumps from note to note, 100 keeps a
    vibrato."""
    hold: Semitones = Field(0.2, ge=0, le=2)
    """How much nearer another note must be before it is chosen; keeps a pitch between two notes
    from going to and fro."""
    stream: bool = False
    """Gives a stream instead of windows, for nodes that take one, such as `synth.source_filter`:
    the newest frames, which are not revised."""

    @field_validator("notes")
    @classmethod
    def _names(cls, value: str) -> str:
        if value.strip():
            pitch_classes(value)
        return value

    def classes(self) -> tuple[int, ...]:
        """The notes as semitones above C, ascending, one or more."""
        if self.notes.strip():
            return pitch_classes(self.notes)
        root = _KEYS.index(self.key)
        return tuple(sorted((root + step) % 12 for step in _SCALES[self.scale]))


@register("pitch.autotune")
class Autotune(Node[AutotuneParams, AutotuneState]):
    """Moves F0 towards the nearest note of a scale.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> out, a window, or a
    stream with ``stream``. It stands after everything that transposes, so after ``pitch.cache`` or
    ``pitch.register``.

    For each voiced frame the nearest note is chosen; that of the frame before stays until another
    is nearer by ``hold``. The correction, in semitones, is ``strength`` times the distance to the
    note. Where speech begins it is taken at once, and from then on it follows with the time
    constant ``glide``, frame by frame, so that it never jumps within a sound (unless ``glide`` is
    0). Unvoiced frames, and those that an estimator filled in (F0 where ``voiced`` is 0), are
    untouched.

    Frames that are revised are corrected again, from the frame before them on; all others keep what
    they got. Changes of params hold for new and revised frames.

    Source: correction by a gliding multiple of the distance to a note is the usual way; see H. A.
    Hildebrand, "Pitch detection and intonation correction apparatus and method", US 5,973,252, 1999
    (expired).
    """

    chunking = "windowed"
    examples = (
        {},
        {"key": "A", "scale": "minor", "strength": 0.7, "glide": 80.0},
        {"notes": "C E G", "glide": 0.0, "reference": 432.0},
        {"stream": True},
    )

    pitch = In(Pitch, window=True, doc="F0 in Hz, 0 where unvoiced")
    voiced = In(Mask, window=True, optional=True, doc="voicing, if F0 alone does not show it")
    out = Out(Pitch, like="pitch", window=True, doc="corrected F0 in Hz, 0 where unvoiced")

    def ports(self, params: AutotuneParams) -> Ports:
        """As declared; with ``stream``, the output is no window."""
        if not params.stream:
            return self.declared
        out = Out(Pitch, like="pitch", doc="corrected F0 in Hz, 0 where unvoiced")
        return Ports(type(self).declared.inputs, {"out": out})

    def infer(
        self, params: AutotuneParams, inputs: Mapping[str, SignalType]
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

    def block_rates(self, params: AutotuneParams) -> tuple[Fraction]:
        """Each block brings a whole number of frames."""
        return (self.input_types["pitch"].rate,)

    def needs(self, params: AutotuneParams, out: Request) -> Requests:
        """The same span in whole frames."""
        if params.stream:
            return dict.fromkeys(self.input_types, out)
        return dict.fromkeys(self.input_types, Request(self.gives(params, out), out.core))

    def gives(self, params: AutotuneParams, out: Request) -> Interval:
        """The span, extended to whole frames, at least the newest block."""
        if params.stream:
            return out.interval
        span = extend_to_whole_frames(out.interval, self.input_types["pitch"].rate)
        return Interval(min(span.start, span.end - self.block), span.end)

    def load(self, params: AutotuneParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes sizes."""
        asked = self.asked["out"]
        self._crops = {port: SpanCrop.between(spec, asked) for port, spec in self.given.items()}
        self._step = int(self.block * asked.rate)
        self._period_ms = 1000 / float(asked.rate)

    def state(self, params: AutotuneParams, streams: int) -> AutotuneState:
        """Nothing sung."""
        shape = (streams, 1 + self.asked["out"].count)
        given = torch.zeros(shape, dtype=torch.float64)
        return AutotuneState(given, torch.full_like(given, torch.nan), torch.zeros_like(given))

    def process(self, inputs: Tensors, params: AutotuneParams, state: AutotuneState) -> Tensors:
        """One window: corrects the frames that are new or were revised."""
        hertz = self._crops["pitch"](inputs["pitch"]).numpy()
        sung = np.where(hertz > 0, hertz, 0.0).astype(np.float64)
        if "voiced" in inputs:
            sung[self._crops["voiced"](inputs["voiced"]).numpy() <= 0.5] = 0.0
        held = [tensor.numpy() for tensor in state.tensors().values()]
        for values in held:
            values[:, : -self._step] = values[:, self._step :].copy()
        given, note, correction = held
        first = sung.shape[1] - self._step
        for stream in range(len(sung)):
            revised = np.flatnonzero(given[stream, 1 : 1 + first] != sung[stream, :first])
            begin = int(revised[0]) if len(revised) else first
            track = _Track(params, self._period_ms)
            track.follow(sung[stream], begin, note[stream], correction[stream])
        given[:, 1:] = sung
        moved = hertz * np.exp2(correction[:, 1:] / 12)
        made = np.where(sung > 0, moved, hertz).astype(np.float32)
        return {"out": torch.from_numpy(made)}


class _Track:
    """Chooses notes and corrections from frame to frame."""

    def __init__(self, params: AutotuneParams, period_ms: float) -> None:
        classes = params.classes()
        self._notes = [octave + step for octave in range(-12, 156, 12) for step in classes]
        self._grid = np.asarray(self._notes, np.float64)
        self._params = params
        self._share = 1 - math.exp(-period_ms / params.glide) if params.glide else 1.0

    def follow(
        self, sung: np.ndarray, begin: int, note: np.ndarray, correction: np.ndarray
    ) -> None:
        """Corrects the frames from ``begin`` on.

        Args:
            sung: F0 in Hz, 0 where nothing is corrected ``[frames]``.
            begin: the first frame that is new.
            note: of each frame and of the one before them ``[1 + frames]``; changed.
            correction: the same.
        """
        params = self._params
        semitones = _A4 + 12 * np.log2(np.where(sung > 0, sung, 1.0) / params.reference)
        last, applied = float(note[begin]), float(correction[begin])
        for k in range(begin, len(sung)):
            if not sung[k]:
                last, applied = math.nan, 0.0
            else:
                here = float(semitones[k])
                chosen = self._choose(here, last)
                wanted = params.strength * (chosen - here)
                begins = math.isnan(last)
                applied = wanted if begins else applied + self._share * (wanted - applied)
                last = chosen
            note[k + 1], correction[k + 1] = last, applied

    def _choose(self, here: float, last: float) -> float:
        nearest = float(self._grid[np.abs(self._grid - here).argmin()])
        kept = last in self._notes and abs(last - here) <= abs(nearest - here) + self._params.hold
        return last if kept else nearest
