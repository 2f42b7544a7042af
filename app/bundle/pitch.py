"""``f0.rmvpe`` and ``pitch.cache``: F0 of the newest audio, joined to one long track."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from voicegraph.graph.signals import NEVER_ESTIMATED

from .network import BundledNetwork
from .ports import NodeSpec

_FRAMES_HZ = 100


class Rmvpe:
    """The node ``f0.rmvpe`` on one stream; its network goes from audio to F0."""

    def __init__(self, spec: NodeSpec, network: BundledNetwork) -> None:
        asked = spec.asked["pitch"]
        after = Fraction(math.ceil(spec.seconds("lookahead") * _FRAMES_HZ), _FRAMES_HZ)
        before = Fraction(math.ceil(spec.seconds("context") * _FRAMES_HZ), _FRAMES_HZ)
        span = asked.interval.widen(before, after)
        self._audio = spec.given["audio"].part(span)
        first = int((asked.interval.start - span.start) * _FRAMES_HZ)
        self._wanted = slice(first, first + asked.count)
        self._fill, self._threshold = bool(spec.params["fill"]), float(spec.params["threshold"])
        self._network = network

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """``pitch`` and ``voiced``, ``[1, frames]``."""
        made = self._network(
            waveform=inputs["audio"][:, 0, self._audio], threshold=np.array([self._threshold])
        )
        every = made["pitchf"]
        found = every[:, self._wanted]
        pitch = filled(every[0].astype(np.float64))[None, self._wanted] if self._fill else found
        return {"pitch": pitch.astype(np.float32), "voiced": (found > 0).astype(np.float32)}


def filled(f0: np.ndarray) -> np.ndarray:
    """F0 ``[frames]`` with zeros replaced: linearly between voiced frames, held at the ends."""
    (known,) = np.nonzero(f0 > 0)
    if not len(known):
        return f0
    return np.interp(np.arange(len(f0)), known, f0[known])


class PitchCache:
    """The node ``pitch.cache`` on one stream."""

    def __init__(self, spec: NodeSpec) -> None:
        given, asked = spec.given["pitch"], spec.asked["pitch"]
        self._step, self._count = int(spec.block * given.rate), asked.count
        end, voiced = asked.interval.end, spec.given.get("voiced", given)
        self._ends = {"pitch": given.index(end), "voiced": voiced.index(end)}
        self._drop = int(spec.params["drop_front"])
        self._factor = 2.0 ** (float(spec.params["transpose"]) / 12.0)
        frames = max(asked.count, given.count)
        self._tracks = {
            "pitch": np.full((1, frames), NEVER_ESTIMATED, np.float32),
            "voiced": np.zeros((1, frames), np.float32),
        }

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Moves the tracks back by a block, then writes the new frames; both ``[1, frames]``."""
        pitch = inputs["pitch"]
        voiced = inputs.get("voiced", (pitch > 0).astype(np.float32))
        made = {"pitch": pitch * np.float32(self._factor), "voiced": voiced}
        for name, track in self._tracks.items():
            new = made[name][:, self._drop : self._ends[name]]
            kept = track.shape[1] - new.shape[1]
            track[:, :kept] = track[:, self._step : self._step + kept].copy()
            track[:, kept:] = new
        return {name: track[:, -self._count :].copy() for name, track in self._tracks.items()}
