"""One block of a source-filter voice: content, pitch, level and noise to audio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from voicegraph.graph import State, Tensors
from voicegraph.nodes.synth._frame_interpolation import (
    FramePositions,
    interpolate,
    interpolate_pitch,
)
from voicegraph.nodes.synth._minimum_phase import (
    PortableFrameFilter,
    filter_frames,
    overlap_add,
)
from voicegraph.nodes.synth.pulse_train import pulse_train
from voicegraph.nodes.synth.source_filter_network import AHEAD, SourceFilterNetwork

SILENCE_DB = -70.0
"""Level before the stream began."""
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 2000.0


@dataclass
class SourceFilterState(State):
    """State of a stream.

    ``phase`` ``[streams]`` float64: phase of the pulses in periods. ``position`` ``[streams]``
    int64: samples so far, and ``stream`` ``[streams]`` int64: number of the stream. They determine
    the noise, and stay on the CPU, where it is generated. ``history`` ``[streams, blocks, taps - 1,
    channels]``: past inputs of the network's blocks. ``tail`` ``[streams, samples]``: overlap of
    earlier frames.
    """

    phase: torch.Tensor
    position: torch.Tensor
    stream: torch.Tensor
    history: torch.Tensor
    tail: torch.Tensor


@dataclass(frozen=True, slots=True)
class BlockFrames:
    """The frames of a block, and where they lie in the inputs.

    Attributes:
        count: frames of 10 ms of the output.
        places: for each input, where the network's frames lie in it.
        level_step: frames of level by which it moves at each block.
        unheard: frames of level that lie before the stream at the first block.
    """

    count: int
    places: Mapping[str, FramePositions]
    level_step: int
    unheard: int


class SourceFilterBlock:
    """A network with everything that turns its envelopes into audio.

    Args:
        network: of the voice.
        frames: of a block.
        portable: for an exported network: real arithmetic, and no branch that depends on values.
    """

    def __init__(
        self, network: SourceFilterNetwork, frames: BlockFrames, portable: bool = False
    ) -> None:
        self.network, self.frames, self.portable = network, frames, portable
        sizes = network.sizes
        self.samples = (frames.count + 1) * sizes.hop
        self.filter = PortableFrameFilter(sizes.fft, sizes.hop) if portable else filter_frames
        # The position from which on no frame of level lies before the stream.
        steps = math.ceil(frames.unheard / frames.level_step) if frames.level_step else math.inf
        self._heard_from = steps * frames.count * sizes.hop

    def __call__(
        self,
        inputs: Tensors,
        noise: torch.Tensor,
        formant: float | torch.Tensor,
        breath: float | torch.Tensor,
        state: SourceFilterState,
    ) -> torch.Tensor:
        """Audio ``[streams, samples]``; the state is then that after the block.

        Args:
            inputs: ``content``, ``pitch`` and ``level``, as the node gets them.
            noise: standard normal ``[streams, samples]``, of the block and one frame more.
            formant: shift in semitones; in an exported network a tensor ``[]``.
            breath: gain of the noise in dB; likewise.
            state: changed in place.
        """
        network, places = self.network, self.frames.places
        content = interpolate(inputs["content"], places["content"])
        level = interpolate(self._heard(inputs["level"], state), places["level"])[..., 0]
        f0 = interpolate_pitch(inputs["pitch"], places["pitch"])
        f0 = torch.where(f0 > 0, f0.clamp(_LOWEST_HZ, _HIGHEST_HZ), 0.0)
        controls = network.controls(content, f0, level)
        bands, history = network.bands(controls, state.history.unbind(1))
        state.history.copy_(torch.stack(history, 1))
        envelopes = network.envelopes(bands, 2.0 ** (formant / 12.0))
        if isinstance(breath, torch.Tensor) or breath != 0:
            envelopes = envelopes + _gain(breath, f0.device)[:, None]
        hop = network.sizes.hop
        frames = self.filter(self._sources(f0, noise, state), envelopes, hop)
        audio, tail = overlap_add(frames, hop, state.tail)
        state.tail.copy_(tail)
        return audio

    def _sources(
        self, f0: torch.Tensor, noise: torch.Tensor, state: SourceFilterState
    ) -> torch.Tensor:
        """Pulses and noise of the block and of one frame after it, ``[streams, 2, samples]``."""
        sizes, count = self.network.sizes, self.frames.count
        # From the frame at the start of the block.
        pitch = f0[:, AHEAD - 1 :][:, : count + 2].double()
        by_values = not self.portable
        pulses, passed = pulse_train(pitch, state.phase, sizes.hop, sizes.sample_rate, by_values)
        state.phase.add_(passed[:, count - 1]).remainder_(1.0)
        state.position += count * sizes.hop
        return torch.stack((pulses, noise.to(pulses.device)), 1)

    def _heard(self, level: torch.Tensor, state: SourceFilterState) -> torch.Tensor:
        """Replaces level frames from before the stream, which are 0 (full scale), by silence."""
        if not self.portable and min(state.position.tolist()) >= self._heard_from:
            return level
        blocks = state.position // (self.frames.count * self.network.sizes.hop)
        before = self.frames.unheard - blocks * self.frames.level_step
        frames = torch.arange(level.shape[1], device=level.device)
        early = frames < before.to(level.device)[:, None]
        return torch.where(early[..., None], SILENCE_DB, level)


def _gain(breath: float | torch.Tensor, device: torch.device) -> torch.Tensor:
    """Of pulses and noise, as natural logarithms: ``[2]``."""
    if isinstance(breath, torch.Tensor):
        return torch.stack((torch.zeros_like(breath), breath * (math.log(10) / 20)))
    return torch.tensor((0.0, breath * math.log(10) / 20), device=device)
