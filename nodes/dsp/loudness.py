"""``dsp.loudness``: the level of speech, without noise, normalised to a target level."""

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
from voicegraph.nodes.dsp.hann_power import HannPower, window_samples
from voicegraph.nodes.dsp.running_percentile import RunningPercentile
from voicegraph.nodes.dsp.voice_prosody import prosody_of

FRAMES_HZ = 100
FLOOR_DB = -70.0
"""Silence; also the assumed level before the stream began."""
_TARGET_DB = -21.0
_QUIETEST_DB, _LOUDEST_DB, _BINS = -110.0, 10.0, 120
"""Range and number of bins of the level histograms: steps of 1 dB."""
_NOISE_SHARE, _LOUD_SHARE = 0.08, 0.95
_MARGIN_DB = 6.0
"""Noise is assumed to be this much louder than its low percentile."""
_SPEECH_DB = 3.0
"""Frames that exceed the noise by this are speech."""
_FAINTEST_DB = -75.0
"""Speech must also exceed this level."""
_DIGITAL_DB = -105.0
"""Quieter frames are digital silence, not room noise: a gate is closed, or the sound is
synthetic."""
_BELOW_DB = 12.0
"""The noise estimate stays at least this far below loud speech: a held note is not noise."""
_NOISE_MEMORY_S = 4.0
_NOISE_FIRST_S, _LOUD_FIRST_S = 0.05, 0.1
"""Weight of the initial assumptions, in seconds of signal."""
_WHOLE, _BEGINNING = 3, 10
"""The first complete frame of a stream is the third that is not silent, if it is among this many
first frames. A sound that begins later, after digital silence, is speech."""
_GLIDE_S = 0.3
_FAR_DB = 10.0
"""If the applied noise is further than this below the estimate, it jumps to this distance."""
_KNEE_DB, _SLOPE = -50.0, 2.0
_MOST_DB = 40.0
"""Limit of gain and attenuation."""
_TINY = 1e-12


@dataclass
class LoudnessState(State):
    """Statistics of each stream.

    Attributes:
        quiet: float64 ``[streams, bins]``, histogram of all levels.
        loud: float64 ``[streams, bins]``, histogram of the levels of speech.
        noise: float64 ``[streams]``, the noise that is subtracted, in dB.
        gain: float64 ``[streams]``, the gain that is applied, in dB.
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
    """Level to which loud speech (its 95th percentile) is normalised. By default that of the
    `voice`, or -21 dB without one."""
    voice: FilePath | None = None
    """The target voice; its card states the target."""
    gain: Live[Decibels] = Field(0.0, ge=-40, le=40)
    """Additional gain."""
    start: Decibels = Field(-24.0, ge=-80, le=0)
    """Assumed level of loud speech in the input, until it has been measured."""
    settle: Duration = Field(parse_duration("10s"), ge=1, le=600)
    """Memory of the loudness, in seconds of speech."""
    normalise: bool = True
    """Normalise speech to the target; otherwise only subtract the noise."""


@register("dsp.loudness")
class Loudness(Node[LoudnessParams, LoudnessState]):
    """Level of speech every 10 ms, without noise, normalised to equal loudness.

    audio ``[streams, 1, samples]`` -> ``level`` ``[streams, frames, 1]`` in dB of full scale at 100
    Hz, -70 to about 0: a stream. Frame ``k`` is the mean power of the 25 ms under a Hann window
    around the block's start + 10 ms * k; the last frame reaches 2.5 ms beyond the block.

    1. The level of the speech is that of ``speech``, if it is connected. Else noise is the running
       8th percentile of the level + 6 dB, and at most loud speech - 12 dB, and its power is
       subtracted: sounds that are weaker than the noise are lost.
    2. Loud speech is the running 95th percentile of the levels that exceed the noise by 3 dB, or of
       ``speech`` where it is more than half of the power. A gain of at most 40 dB brings it to
       ``target``.
    3. Below -50 dB the slope is 2, and -70 dB is the lowest value: pauses become silent.

    The percentiles come from histograms with exponential forgetting. The applied values follow them
    with a time constant of 0.3 s, without jumps.

    Settling: without ``speech``, the beginning of a stream counts as noise, within the limit of
    step 1. The estimate follows quieter noise within 1 s and louder noise within 10 s, since its
    memory has a time constant of 4 s. If a stream begins with speech, levels more than 12 dB below
    the loudest are lost until the first pause. Digital silence does not count as noise. The initial
    loudness is ``start``: louder speech is measured within 0.5 s (to 3 dB), quieter speech within 3
    s; speech that becomes quieter later within three times ``settle`` of speech. Pauses do not
    change the loudness.

    Source: power subtraction with minima of the power as in R. Martin, "Noise power spectral
    density estimation based on optimal smoothing and minimum statistics", IEEE Trans. SAP 9(5),
    2001, in a single band; percentiles for minima as in V. Stahl, A. Fischer and R. Bippus,
    "Quantile based noise estimation for spectral subtraction and Wiener filtering", ICASSP 2000.
    """

    examples = (
        {},
        {"target": -30.0, "start": -40.0, "settle": "2s", "gain": 3.0},
        {"normalise": False},
    )

    audio = In(Audio, channels=1)
    speech = In(
        Features,
        rate=FRAMES_HZ,
        dim=1,
        optional=True,
        doc="level of the speech alone in dB of full scale, such as of dsp.speech_level",
    )
    level = Out(Features, rate=FRAMES_HZ, dim=1, doc="level in dB of full scale")

    def needs(self, params: LoudnessParams, out: Request) -> Requests:
        """Half a window around each frame's centre; the last one is 10 ms before the end."""
        half = self._half()
        around = out.widen(half, max(half - Fraction(1, FRAMES_HZ), Fraction(0)))
        return {"audio": around} | ({"speech": out} if "speech" in self.input_types else {})

    def _half(self) -> Fraction:
        """Half a window, in seconds."""
        rate = self.input_types["audio"].rate
        return window_samples(rate) / rate / 2

    def load(self, params: LoudnessParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants.

        Raises:
            WeightsError: if the card of the voice does not state its level.
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
        asked, given = self.asked["level"], self.given["audio"]
        first = given.index(asked.interval.start - self._half())
        self._power = HannPower(first, asked.count, given.rate, FRAMES_HZ)
        self._follow = 1 - math.exp(-1 / (_GLIDE_S * FRAMES_HZ))
        # If other branches look ahead, the first frames of this one lie before the stream.
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
        """One block: all its frames at once, but for what follows from frame to frame."""
        power = self._power(inputs["audio"][:, 0]).numpy()
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        level = _decibels(power)
        if "speech" in inputs:
            speech, unknown = inputs["speech"][:, :, 0].double().numpy(), None
            loud = self._loudest(speech, speech > level - _SPEECH_DB, held)
        else:
            speech, loud, unknown = self._subtract(power, level, held)
        gain = self._applied(params, loud, held)
        clean = speech + gain
        expanded = np.where(clean < _KNEE_DB, _KNEE_DB + _SLOPE * (clean - _KNEE_DB), clean)
        made = np.maximum(expanded, FLOOR_DB).astype(np.float32)
        if unknown is not None:
            made[unknown] = FLOOR_DB
        return {"level": torch.from_numpy(made)[:, :, None]}

    def _loudest(
        self, speech: np.ndarray, present: np.ndarray, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """The level of loud speech after each frame, ``[streams, frames]``; changes ``held``.

        Args:
            speech: its level, dB ``[streams, frames]``.
            present: frames that are mostly speech, of the same shape.
            held: the state.
        """
        present = present & (speech > _FAINTEST_DB)
        made = self._loud.count(held["loud"], self._loud.places(speech), present)
        held["loud"][:] = made[-1]
        return self._loud.read(made).T

    def _subtract(
        self, power: np.ndarray, level: np.ndarray, held: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The level without the noise, that of loud speech, and frames before the first whole one.

        Args:
            power: of the frames, ``[streams, frames]``.
            level: the same in dB.
            held: the state; changed in place.
        """
        sounds = level > _DIGITAL_DB
        begins, unknown = self._beginnings(sounds, held)
        quiet = self._quietest(level, sounds, begins, held)
        noise, loud = self._separate(level, quiet, begins, held)
        return _decibels(power - 10.0 ** (noise / 10)), loud, unknown

    def _beginnings(
        self, sounds: np.ndarray, held: dict[str, np.ndarray]
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Which streams have their first complete frame when; ``held`` is changed in place.

        The first two frames reach back before the beginning of the stream.

        Args:
            sounds: bool ``[streams, frames]``, frames that are not silent.
            held: the state.

        Returns:
            The first complete frames, which give the noise, and sounding ones before them: bool
            ``[streams, frames]`` each. None if all streams began long ago, and the block cannot
            have any.
        """
        sounding, frames = held["sounding"], held["frames"]
        if (frames >= self._begun).all() and (sounding >= _WHOLE).all():
            return None, None
        begins, unknown = np.zeros_like(sounds), np.zeros_like(sounds)
        for k in range(sounds.shape[1]):
            sounding += sounds[:, k] & (sounding < _WHOLE)
            frames += frames < self._begun
            begins[:, k] = sounds[:, k] & (sounding == _WHOLE) & (frames < self._begun)
            frames[begins[:, k]] = self._begun
            unknown[:, k] = sounds[:, k] & (sounding < _WHOLE) & (frames < self._begun)
        return begins, unknown

    def _quietest(
        self,
        level: np.ndarray,
        sounds: np.ndarray,
        begins: np.ndarray | None,
        held: dict[str, np.ndarray],
    ) -> np.ndarray:
        """The low percentile after each frame, ``[streams, frames]``; changes ``held``."""
        quiet, places = held["quiet"], self._quiet.places(level)
        if begins is None or not begins.any():
            made = self._quiet.count(quiet, places, sounds)
            quiet[:] = made[-1]
            return self._quiet.read(made).T
        found = np.empty_like(level)
        for k in range(level.shape[1]):
            first = begins[:, k]
            quiet[first] = 0.0
            weights = np.where(first, _NOISE_FIRST_S * FRAMES_HZ, 0.0)
            self._quiet.add_weighted(quiet, level[:, k], weights)
            quiet[:] = self._quiet.count(quiet, places[:, k : k + 1], sounds[:, k : k + 1])[0]
            found[:, k] = self._quiet.read(quiet)
        return found

    def _separate(
        self,
        level: np.ndarray,
        quiet: np.ndarray,
        begins: np.ndarray | None,
        held: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """The noise and the level of loud speech after each frame; ``held`` is changed in place.

        Which frames are speech depends on the noise before them, and that on earlier frames of
        speech. The noise moves little in a block. So speech is found by the noise before the block,
        the noise by that, and again until both agree, which is nearly always at once. The first
        frame is right in the first round, the second in the second round at the latest, and so on.

        Args:
            level: dB ``[streams, frames]``.
            quiet: its low percentile, of the same shape.
            begins: as from :meth:`_beginnings`.
            held: the state.

        Returns:
            dB ``[streams, frames]`` each.
        """
        places, audible = self._loud.places(level), level > _FAINTEST_DB
        before = held["noise"][:, None]
        speech = audible & (level > before + _SPEECH_DB)
        while True:
            made = self._loud.count(held["loud"], places, speech)
            loud = self._loud.read(made).T
            floor = np.minimum(quiet + _MARGIN_DB, loud - _BELOW_DB)
            noise = self._follow_floor(held["noise"], floor, begins)
            before = np.concatenate((held["noise"][:, None], noise[:, :-1]), 1)
            found = audible & (level > before + _SPEECH_DB)
            if (found == speech).all():
                break
            speech = found
        held["loud"][:] = made[-1]
        held["noise"][:] = noise[:, -1]
        return noise, loud

    def _follow_floor(
        self, noise: np.ndarray, floor: np.ndarray, begins: np.ndarray | None
    ) -> np.ndarray:
        """The noise that is subtracted: ``[streams]`` before, ``[streams, frames]`` after."""
        made = np.empty_like(floor)
        lowest = floor - _FAR_DB
        for k in range(floor.shape[1]):
            noise = np.maximum(noise, lowest[:, k])
            if begins is not None:
                noise = np.where(begins[:, k], floor[:, k], noise)
            noise = noise + self._follow * (floor[:, k] - noise)
            made[:, k] = noise
        return made

    def _applied(
        self, params: LoudnessParams, loud: np.ndarray, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """The gain in dB after each frame, ``[streams, frames]``; ``held`` is changed in place."""
        gain, wanted = held["gain"], self._wanted(params, loud)
        made = np.empty_like(loud)
        for k in range(loud.shape[1]):
            gain += self._follow * (wanted[:, k] - gain)
            made[:, k] = gain
        return made

    def _wanted(self, params: LoudnessParams, loud: np.ndarray) -> np.ndarray:
        """The gain that brings ``loud`` to the target, in dB."""
        needed = self._target - loud if params.normalise else np.zeros_like(loud)
        return np.minimum(np.maximum(needed + params.gain, -_MOST_DB), _MOST_DB)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, _TINY))
