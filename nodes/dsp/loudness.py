"""``dsp.loudness``: how loud speech is, without the noise under it and however it was recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Duration,
    Features,
    FilePath,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    State,
    Tensors,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp.hann_power import hann_power, window_samples
from voicegraph.nodes.dsp.running_percentile import RunningPercentile
from voicegraph.nodes.dsp.voice_prosody import prosody_of

FRAMES_HZ = 100
FLOOR_DB = -70.0
"""Silence, and what the stream is taken to have been before it began."""
_TARGET_DB = -21.0
_QUIETEST_DB, _LOUDEST_DB, _BINS = -110.0, 10.0, 120
"""Levels that are told apart, in steps of 1 dB."""
_NOISE_SHARE, _LOUD_SHARE = 0.08, 0.95
_MARGIN_DB = 6.0
"""Noise is taken to be so much louder than its quiet moments."""
_SPEECH_DB = 3.0
"""What exceeds that by as much is speech."""
_FAINTEST_DB = -75.0
"""And what exceeds this."""
_DIGITAL_DB = -105.0
"""What is quieter is no noise of a room: somebody has closed a gate, or the sound was made."""
_BELOW_DB = 12.0
"""Noise is never taken for louder than this below loud speech: a held note is no noise."""
_NOISE_MEMORY_S = 4.0
_NOISE_FIRST_S, _LOUD_FIRST_S = 0.05, 0.1
"""As much time what is assumed at first counts for."""
_WHOLE, _BEGINNING = 3, 10
"""A stream begins with the third frame that sounds, if that is one of its first so many; what
sounds later, after silence that somebody made, is speech."""
_GLIDE_S = 0.3
_FAR_DB = 10.0
"""Noise so much below what it is found to be makes little difference: it need not glide there."""
_KNEE_DB, _SLOPE = -50.0, 2.0
_MOST_DB = 40.0
"""Gain and attenuation are not larger."""
_TINY = 1e-12


@dataclass
class LoudnessState(State):
    """What is known of each stream.

    Attributes:
        quiet: float64 ``[streams, bins]``, how often each level was there.
        loud: float64 ``[streams, bins]``, how often each level was spoken at.
        noise: float64 ``[streams]``, the noise that is subtracted, in dB.
        gain: float64 ``[streams]``, what is added, in dB.
        sounding: int64 ``[streams]``, frames that were not silent, up to 3.
        frames: int64 ``[streams]``, frames so far, until the stream has begun.
    """

    quiet: torch.Tensor
    loud: torch.Tensor
    noise: torch.Tensor
    gain: torch.Tensor
    sounding: torch.Tensor
    frames: torch.Tensor


class LoudnessParams(NodeParams):
    """Params of ``dsp.loudness``."""

    target: Decibels | None = Field(None, ge=-60, le=0)
    """Level to which loud speech (its 95th percentile) is brought. By default as the `voice`
    says, or -21 dB without one."""
    voice: FilePath | None = None
    """The voice that is to speak: its card tells the target."""
    gain: Live[Decibels] = Field(0.0, ge=-40, le=40)
    """How much louder it is made than that."""
    start: Decibels = Field(-24.0, ge=-80, le=0)
    """Level of loud speech as it comes in, until it is known."""
    settle: Duration = Field(parse_duration("10s"), ge=1, le=600)
    """Memory of the loudness, in speech."""
    normalise: bool = True
    """Bring speech to the target; otherwise noise is subtracted, and the level stays."""


@register("dsp.loudness")
class Loudness(Node[LoudnessParams, LoudnessState]):
    """Level of speech every 10 ms, with noise subtracted, as if all spoke equally loud.

    audio ``[streams, 1, samples]`` -> ``level`` ``[streams, frames, 1]`` in dB of full scale at 100
    Hz, -70 to about 0: a stream. Frame ``k`` is the mean power of the 25 ms under a Hann window
    around the block's start + 10 ms * k: of the last one 2.5 ms lie after the block.

    1. Noise is the running 8th percentile of the level + 6 dB, and at most loud speech - 12 dB; its
       power is subtracted.
    2. Loud speech is the running 95th percentile of what exceeds the noise by 3 dB; a gain of at
       most 40 dB brings it to ``target``.
    3. Below -50 dB the slope is 2, below -70 dB all is -70: pauses become silent.

    Percentiles are those of histograms that forget. What is applied follows them with a time
    constant of 0.3 s, so nothing jumps.

    Settling: what a stream begins with is taken for noise, as far as it may be; quieter noise
    is found within 1 s; noise that becomes louder takes up to 10 s, for the memory of it has a
    time constant of 4 s. A stream that begins with speech loses what is 12 dB below the loudest
    of it until the first pause. Loudness is taken to be ``start`` at first: speech that is
    louder is found within 0.5 s (to 3 dB), speech that is quieter within 3 s; if it becomes
    quieter later, within three times ``settle`` of speech. In pauses loudness is kept; digital
    silence is no noise.

    Source: power subtraction with minima of the power as in R. Martin, "Noise power spectral
    density estimation based on optimal smoothing and minimum statistics", IEEE Trans. SAP 9(5),
    2001, in a single band; percentiles for minima as in V. Stahl, A. Fischer and R. Bippus,
    "Quantile based noise estimation for spectral subtraction and Wiener filtering", ICASSP 2000.
    """

    chunking = "exact"
    examples = (
        {},
        {"target": -30.0, "start": -40.0, "settle": "2s", "gain": 3.0},
        {"normalise": False},
    )

    audio = In(Audio, channels=1)
    level = Out(Features, rate=FRAMES_HZ, dim=1, doc="level in dB of full scale")

    def needs(self, params: LoudnessParams, out: Request) -> Requests:
        """Half a window around each frame's middle; the last one lies 10 ms before the end."""
        half = self._half()
        return {"audio": out.widen(half, max(half - Fraction(1, FRAMES_HZ), Fraction(0)))}

    def _half(self) -> Fraction:
        """Half a window, in seconds."""
        rate = self.input_types["audio"].rate
        return window_samples(rate) / rate / 2

    def load(self, params: LoudnessParams, device: torch.device, dtype: torch.dtype) -> None:
        """Makes windows and constants.

        Raises:
            WeightsError: if the voice does not tell its level.
        """
        self._target = _TARGET_DB
        if params.target is not None:
            self._target = params.target
        elif params.voice is not None:
            fix = f"nodes.{self.name}.params.target: {_TARGET_DB:g}"
            self._target = prosody_of(params.voice, fix).loud_db
        levels = (_QUIETEST_DB, _LOUDEST_DB, _BINS)
        self._quiet = RunningPercentile(*levels, _NOISE_SHARE, _NOISE_MEMORY_S * FRAMES_HZ)
        memory = float(params.settle) * FRAMES_HZ
        self._loud = RunningPercentile(*levels, _LOUD_SHARE, memory)
        self._follow = 1 - math.exp(-1 / (_GLIDE_S * FRAMES_HZ))
        # What others look ahead, this looks back: its first frames lie before the stream.
        before = math.ceil(-self.asked["level"].interval.start * FRAMES_HZ)
        self._begun = max(before, 0) + _BEGINNING

    def state(self, params: LoudnessParams, streams: int) -> LoudnessState:
        """No noise, and speech at ``start``."""
        quiet = self._quiet.prefilled(streams, _QUIETEST_DB, _NOISE_FIRST_S * FRAMES_HZ)
        loud = self._loud.prefilled(streams, params.start, _LOUD_FIRST_S * FRAMES_HZ)
        noise = torch.full((streams,), _QUIETEST_DB, dtype=torch.float64)
        gain = self._wanted(params, self._loud.read(loud))
        return LoudnessState(
            torch.from_numpy(quiet),
            torch.from_numpy(loud),
            noise,
            torch.from_numpy(gain),
            torch.zeros(streams, dtype=torch.int64),
            torch.zeros(streams, dtype=torch.int64),
        )

    def process(self, inputs: Tensors, params: LoudnessParams, state: LoudnessState) -> Tensors:
        """One block, frame by frame."""
        asked, given = self.asked["level"], self.given["audio"]
        first = given.index(asked.interval.start - self._half())
        audio = inputs["audio"][:, 0]
        power = hann_power(audio, first, asked.count, given.rate, FRAMES_HZ).numpy()
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        made = np.empty(power.shape, np.float32)
        for k in range(asked.count):
            made[:, k] = self._frame(power[:, k], params, held)
        return {"level": torch.from_numpy(made)[:, :, None]}

    def _frame(
        self, power: np.ndarray, params: LoudnessParams, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Level of one frame, ``[streams]``; ``held`` is changed in place."""
        noise, gain = held["noise"], held["gain"]
        level = _decibels(power)
        sounds = level > _DIGITAL_DB
        begins = self._begins(level, sounds, held)
        self._quiet.update(held["quiet"], level, sounds)
        speech = (level > noise + _SPEECH_DB) & (level > _FAINTEST_DB)
        self._loud.update(held["loud"], level, speech)
        loud = self._loud.read(held["loud"])
        floor = np.minimum(self._quiet.read(held["quiet"]) + _MARGIN_DB, loud - _BELOW_DB)
        np.maximum(noise, floor - _FAR_DB, out=noise)
        noise[begins] = floor[begins]
        noise += self._follow * (floor - noise)
        gain += self._follow * (self._wanted(params, loud) - gain)
        clean = _decibels(power - 10.0 ** (noise / 10)) + gain
        expanded = np.where(clean < _KNEE_DB, _KNEE_DB + _SLOPE * (clean - _KNEE_DB), clean)
        unknown = sounds & (held["sounding"] < _WHOLE) & (held["frames"] < self._begun)
        return np.where(unknown, FLOOR_DB, np.maximum(expanded, FLOOR_DB))

    def _begins(
        self, level: np.ndarray, sounds: np.ndarray, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Where the first whole frame of a stream is, which tells its noise; bool ``[streams]``.

        The first two reach back before the stream, where nothing is.
        """
        sounding, frames, quiet = held["sounding"], held["frames"], held["quiet"]
        sounding += sounds & (sounding < _WHOLE)
        frames += frames < self._begun
        begins = sounds & (sounding == _WHOLE) & (frames < self._begun)
        if begins.any():
            frames[begins] = self._begun
            quiet[begins] = 0.0
            self._quiet.add_weighted(
                quiet, level, np.where(begins, _NOISE_FIRST_S * FRAMES_HZ, 0.0)
            )
        return begins

    def _wanted(self, params: LoudnessParams, loud: np.ndarray) -> np.ndarray:
        """The gain that brings ``loud`` to the target, in dB."""
        needed = self._target - loud if params.normalise else np.zeros_like(loud)
        return np.clip(needed + params.gain, -_MOST_DB, _MOST_DB)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, _TINY))
