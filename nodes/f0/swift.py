"""``f0.swift``: F0 by SwiftF0, a tiny network, fast on a CPU and robust in noise."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional

from voicegraph.graph import (
    Duration,
    ExportedNetwork,
    ExportedTensor,
    SignalType,
    Tensors,
    parse_duration,
    register,
)
from voicegraph.nodes.f0._example_voice import PITCH_TOLERANCE, example_voice
from voicegraph.nodes.f0._swift_export import PortableSwift
from voicegraph.nodes.f0.estimator import FRAMES_HZ, HOP, RATE, F0Estimator, F0Params
from voicegraph.nodes.f0.frame_grid import GridPositions
from voicegraph.nodes.f0.swift_network import HIGHEST_HZ, LOWEST_HZ, SwiftDetector, load_swift
from voicegraph.nodes.f0.swift_network import HOP as FRAME
from voicegraph.nodes.layers.form import PLAIN_FLOAT32
from voicegraph.nodes.world import world_library

_NARROWEST = 1.05
"""Pitches of the network are 4 % apart: a narrower search range may contain none."""


class SwiftParams(F0Params):
    """Params of ``f0.swift``."""

    context: Duration = Field(parse_duration("200ms"), ge=0)
    """Audio analysed before the requested span. The network looks back 176 ms."""
    threshold: float = Field(0.5, ge=0, le=1)
    """Minimum confidence of a voiced frame."""
    refine: bool = False
    """Refine each voiced frame by instantaneous frequency (WORLD's StoneMask)."""


@register("f0.swift")
class Swift(F0Estimator[SwiftParams]):
    """F0 by SwiftF0, a convolutional network over spectrograms.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. The network has a frame every 16 ms; F0 and confidence are interpolated. Its range is
    46.9 to 2094 Hz, whatever ``floor`` and ``ceiling`` are. All streams are computed in one call,
    and of the network only what the requested frames depend on.

    The network uses 176 ms on either side, but most of the look-ahead is not needed. Measured on 24
    speakers in blocks of 40 ms, the voicing agrees with that of the whole file (the network on
    grids 2 ms apart, so that one of its frames is within 1 ms) in 72 % of the frames without
    ``lookahead``, in 97.5 % with 20 ms, 98.6 % with 60 ms, and 98.9 % with 100 ms. With the voicing
    of the network's nearest frame it would be 96.6, 97.2 and 97.4 %. ``refine`` moves each voiced
    frame, which is exact to a few cents, to the instantaneous frequency of the harmonics.

    The weights, those of the package swift-f0, come with voicegraph.

    L. Nieradzik, "SwiftF0: fast and accurate monophonic pitch detection", arXiv 2508.18440, 2025;
    StoneMask is part of M. Morise et al., "WORLD", IEICE Trans. E99-D(7), 2016.
    """

    releases_gil = True
    shortest = Fraction(200, 1000)
    examples = (
        {},
        {"fill": True, "floor": 80.0, "ceiling": 400.0, "threshold": 0.9},
        {"lookahead": "60ms", "refine": True},
    )

    def infer(self, params: SwiftParams, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """Fixed types.

        Raises:
            ValueError: if floor and ceiling lie too close together.
        """
        low, high = max(params.floor, LOWEST_HZ), min(params.ceiling, HIGHEST_HZ)
        if high < low * _NARROWEST:
            raise ValueError(
                f"SwiftF0 knows {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz in steps of 4 %, and may know "
                f"no pitch from floor ({params.floor:g} Hz) to ceiling ({params.ceiling:g} Hz)"
            )
        return super().infer(params, inputs)

    def load(self, params: SwiftParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, or takes that of another session.

        Raises:
            WeightsError: if the file of its weights is damaged.
        """
        self._detector = SwiftDetector(load_swift(), params.floor, params.ceiling)

    def exports(self, params: SwiftParams) -> ExportedNetwork:
        """Frames of the network from a recording, with the names of the package's own file."""
        detect = self._detector
        hertz = {"fmin": params.floor, "fmax": params.ceiling}

        def reference(inputs: Tensors) -> Tensors:
            with torch.inference_mode():
                pitch, confidence = detect(inputs["audio"])
            return {"pitch": pitch.float(), "confidence": confidence}

        def example(case: int) -> dict[str, torch.Tensor]:
            limits = {name: torch.tensor(value) for name, value in hertz.items()}
            return {"audio": example_voice(case), **limits}

        return ExportedNetwork(
            module=PortableSwift(load_swift(PLAIN_FLOAT32)),
            inputs={
                "audio": ExportedTensor((1, "samples"), description="audio at 16 kHz"),
                "fmin": ExportedTensor((), description="lowest pitch of the search in Hz"),
                "fmax": ExportedTensor((), description="highest pitch of the search in Hz"),
            },
            outputs={
                "pitch": ExportedTensor(
                    (1, "frames"), description="F0 in Hz, every 16 ms", tolerance=PITCH_TOLERANCE
                ),
                "confidence": ExportedTensor((1, "frames"), description="of voicing, 0 to 1"),
            },
            example=example,
            reference=reference,
        )

    def estimate_all(self, params: SwiftParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        return self.estimate_frames(params, audio, range(audio.shape[1] // HOP + 1))

    def estimate_frames(
        self, params: SwiftParams, audio: torch.Tensor, frames: range
    ) -> torch.Tensor:
        """F0 of some frames of all streams in Hz; frames that these do not need are left out."""
        # Padded to whole frames: the incomplete frame would be the newest.
        whole = functional.pad(audio.float(), (0, -audio.shape[1] % FRAME))
        needed = _around(frames, whole.shape[1] // FRAME)
        pitch, confidence = self._detector(whole, needed.start, len(needed))
        found = _positions(needed, frames).by_confidence(
            pitch.numpy(), confidence.numpy(), params.threshold
        )
        found = np.ascontiguousarray(found)  # as StoneMask takes its rows
        if params.refine and found.any():
            at = np.array(frames) / FRAMES_HZ
            for row, samples in zip(found, audio.double().contiguous().numpy(), strict=True):
                if row.any():
                    row[:] = world_library.refine(samples, row, at, RATE)
        return torch.from_numpy(found)


@functools.lru_cache(maxsize=64)
def _positions(frames: range, wanted: range) -> GridPositions:
    """Where frames every 10 ms lie among frames of the network."""
    return GridPositions.of(np.array(frames) * (FRAME / RATE), len(wanted), wanted.start)


def _around(frames: range, count: int) -> range:
    """Of ``count`` frames of the network those on either side of frames every 10 ms."""
    first = min(frames.start * HOP // FRAME, count - 1)
    last = min((frames.stop - 1) * HOP // FRAME + 1, count - 1)
    return range(first, last + 1)
