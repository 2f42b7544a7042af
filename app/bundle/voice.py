"""``synth.rvc``: content and pitch to audio, with the random numbers of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from voicegraph.graph import philox
from voicegraph.graph.intervals import Interval
from voicegraph.graph.ports import PortSpec

from .formant import FormantShift
from .network import BundledNetwork
from .ports import NodeSpec

_FRAMES_HZ = 100
_REACH = 24
"""Frames to either side that the flow's output depends on."""
_FLOOR, _CEILING, _BINS = 50.0, 1100.0, 255


class RvcVoice:
    """The node on one stream."""

    def __init__(self, spec: NodeSpec, network: BundledNetwork) -> None:
        asked, self._params = spec.asked["audio"], spec.params
        context = Fraction(round(spec.seconds("extra") * _FRAMES_HZ), _FRAMES_HZ)
        span = Interval(asked.interval.start - context, spec.given["content"].core.end)
        self._skip = int(context * _FRAMES_HZ)
        self._length = int(asked.interval.duration * _FRAMES_HZ)
        self._formant = float(spec.params["formant"])
        self._stretch = FormantShift.of(self._formant, self._length, int(asked.rate))
        self._places = {port: nearest(given, span) for port, given in spec.given.items()}
        self._spec, self._network, self._tick = spec, network, 0

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One window, ``[1, 1, samples]``."""
        frames = {port: x[:, self._places[port]] for port, x in inputs.items()}
        content = frames["content"]
        fed: dict[str, np.ndarray | float] = {
            "feats": content,
            "p_len": np.array([content.shape[1]]),
            "sid": np.array([int(self._params["speaker"])]),
            "skip_head": np.array(self._skip),
            "return_length": np.array(self._length),
            "formant_length": np.array(self._stretch.frames),
            "rnd": self._prior_noise(content.shape[1]),
            "noise_scale": 0.0,  # random numbers are given, and none is drawn inside
        }
        if "pitch" in frames:
            f0, stretch = frames["pitch"], self._stretch
            if self._formant != 0:
                f0 = f0 * np.float32(2.0 ** (-self._formant / 12.0))
            heard = f0 if stretch.frames == stretch.count else f0 * stretch.frames / stretch.count
            fed |= {"pitch": coarse_pitch(f0), "pitchf": heard}
            fed |= {"source_noise": self._source_noise(), "source_noise_scale": 0.0}
        taken = self._network.described.inputs
        audio = self._network(**{name: x for name, x in fed.items() if name in taken})["audio"]
        self._tick += 1
        return {"audio": self._stretch.restored(audio.reshape(-1))[None, None]}

    def _prior_noise(self, frames: int) -> np.ndarray:
        """``[1, channels, frames]``: 0 but where the flow's input lies."""
        axes = self._network.described.inputs["rnd"].axes
        made = np.zeros((1, int(axes[1]), frames), np.float32)
        head = max(self._skip - _REACH, 0)
        used = made[0, :, head : min(frames, self._skip + self._length + _REACH)]
        drawn = self._drawn("prior", used.size).reshape(used.shape)
        used[...] = drawn * np.float32(self._params["noise_scale"])
        return made

    def _source_noise(self) -> np.ndarray:
        """``[1, samples]``."""
        drawn = self._drawn("source", self._length * self._stretch.frame)
        return drawn[None] * np.float32(self._params["source_noise"])

    def _drawn(self, what: str, count: int) -> np.ndarray:
        """Standard normal random numbers of this tick, ``[count]``."""
        name = f"{self._spec.name}.{what}"
        return philox.normal(self._spec.seed, name, 0, self._tick * count, count)


def nearest(given: PortSpec, span: Interval) -> np.ndarray:
    """Index of the frame of ``given`` that lies at, or last before, each 10 ms of ``span``."""
    first = (span.start - given.interval.start) * given.rate
    step = given.rate / _FRAMES_HZ
    count = int(span.duration * _FRAMES_HZ)
    return np.array([min(math.floor(first + k * step), given.count - 1) for k in range(count)])


def coarse_pitch(f0: np.ndarray) -> np.ndarray:
    """Bins 1..255 of F0 in Hz, 1 where unvoiced, 0 where never estimated (-0.0)."""
    mel = 1127.0 * np.log1p(f0.astype(np.float64) / 700.0)
    low, high = (1127.0 * math.log1p(hertz / 700.0) for hertz in (_FLOOR, _CEILING))
    scaled = (mel - low) * (_BINS - 1) / (high - low) + 1
    bins = np.clip(scaled, 1, _BINS).round().astype(np.int64)
    return np.where(np.signbit(f0) & (f0 == 0), 0, bins)
