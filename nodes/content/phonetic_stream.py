"""A phonetic encoder as a stream: each frame once, with what came before it remembered.

There is one step a frame of 20 ms. At the step of frame ``P`` audio is known to sample ``320 P +
160``, and frames ``P - settle`` to ``P`` are live: all of them are computed anew, and hear each
other in both directions and ``past`` frames before them. Frame ``P - ahead`` is then given, and
frame ``P - settle`` is settled: its key, value and gated value in each block, as they are now, are
what later steps hear of it.

The spectrum around the newest frame reaches beyond the audio, which is reflected there, as at the
end of a file; at the next step that frame is known exactly. Before the first frame there is
silence, and there are no frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch.nn import functional

from voicegraph.graph import State
from voicegraph.nodes.content._phonetic_stream_blocks import BlockCache, ValidFrames, stream_block
from voicegraph.nodes.content.phonetic_network import (
    HOP,
    STEP,
    WINDOW,
    PhoneticBlock,
    PhoneticNetwork,
)

BEFORE = STEP + HOP + WINDOW // 2
"""Samples heard before the centre of the first step's frame: those of the frame before it."""
AFTER = HOP
"""Samples heard after the centre of the last step's frame."""
PAST, SETTLE, AHEAD = 200, 10, 3
"""In frames, what ``content.streaming`` does where nothing else is said, and what the encoder that
comes with voicegraph was trained for: 4 s, 200 ms, and 50 ms beyond the end of a block."""
_AT_ONCE = 16
"""Steps computed in one go: memory grows with them, and more are hardly faster."""


@dataclass
class PhoneticStreamState(State):
    """All that a stream remembers.

    ``heard`` ``[streams]`` int64: frame of the next step, counted from the stream's first; below 0
    before that. It stays on the CPU, which must know it. ``stems`` ``[streams, settle - 1,
    hidden]``: what enters the first block, of the newest frames that are known exactly. ``pairs``
    ``[streams, blocks, past, 2 hidden]``: keys and values of settled frames, and ``gated``
    ``[streams, blocks, taps // 2, hidden]``: their gated values.
    """

    heard: torch.Tensor
    stems: torch.Tensor
    pairs: torch.Tensor
    gated: torch.Tensor


class PhoneticStream:
    """Steps of a network.

    Args:
        network: on any device, in any precision.
        layer: the block after which features are taken, from 1.
        past: settled frames that attention hears, at least 1.
        settle: after how many frames one is settled, at least 1.
        ahead: how many newer frames one has heard when it is given, 1 to ``settle``.

    Raises:
        ValueError: if there is no such block, or the numbers are not in these ranges.
    """

    def __init__(
        self,
        network: PhoneticNetwork,
        layer: int,
        past: int = PAST,
        settle: int = SETTLE,
        ahead: int = AHEAD,
    ) -> None:
        if not 1 <= layer <= network.sizes.blocks:
            raise ValueError(f"there is no block {layer}, but 1 to {network.sizes.blocks}")
        if past < 1 or not 1 <= ahead <= settle:
            raise ValueError(
                f"past {past}, settle {settle} and ahead {ahead} must be at least 1, "
                "and ahead at most settle"
            )
        self.network = network
        self.blocks = cast("list[PhoneticBlock]", list(network.blocks[:layer]))
        self.past, self.settle, self.ahead = past, settle, ahead

    def begin(self, streams: int, heard: int = 0) -> PhoneticStreamState:
        """Nothing heard yet.

        Args:
            streams: how many.
            heard: frame of the first step, at most 0: the frames before 0 are not there.
        """
        weight, sizes = self.network.stem.weight, self.network.sizes
        blocks, hidden = len(self.blocks), sizes.hidden
        with torch.inference_mode():
            silence = self._stems(torch.zeros(1, BEFORE + AFTER, device=weight.device))[0]
        return PhoneticStreamState(
            heard=torch.full((streams,), heard),
            stems=silence.repeat(streams, self.settle - 1, 1),
            pairs=weight.new_zeros(streams, blocks, self.past, 2 * hidden),
            gated=weight.new_zeros(streams, blocks, sizes.taps // 2, hidden),
        )

    def __call__(self, audio: torch.Tensor, state: PhoneticStreamState) -> torch.Tensor:
        """The next steps.

        Args:
            audio: float32 ``[streams, BEFORE + 320 (steps - 1) + AFTER]``; the first step's frame
                is centred at sample ``BEFORE``.
            state: of the streams; changed in place.

        Returns:
            float32 ``[streams, steps, hidden]``: the frames ``ahead`` before those of the steps.
        """
        exact, edges = self._stems(audio)
        steps = edges.shape[1]
        line = torch.cat((state.stems, exact), 1)
        live = line.unfold(1, self.settle, 1).transpose(2, 3)
        live = torch.cat((live, edges[:, :, None]), 2)
        made = []
        for first in range(0, steps, _AT_ONCE):
            some = live[:, first : first + _AT_ONCE]
            made.append(self._through(some, state))
        state.stems.copy_(line[:, steps:])
        return torch.cat(made, 1).float()

    def whole(self, audio: torch.Tensor) -> torch.Tensor:
        """What a stream gives of audio that is all there, with silence after it.

        Args:
            audio: float32 ``[samples]`` at 16 kHz, on the network's device.

        Returns:
            float32 ``[samples // 320 + 1, hidden]``; frame ``k`` is centred at sample ``320 k``.
        """
        frames = len(audio) // STEP + 1
        size = BEFORE + STEP * (frames - 1 + self.ahead) + AFTER
        padded = functional.pad(audio, (BEFORE, size - BEFORE - len(audio)))
        with torch.inference_mode():
            found = self(padded[None], self.begin(1))[0, self.ahead :]
        return found.clone()

    def _stems(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What enters the first block, each ``[streams, steps, hidden]``.

        Returns:
            Of the frames before those of the steps, exactly; of the latter, as far as is known.
        """
        network, half = self.network, WINDOW // 2
        audio = audio.float()
        known = audio.unfold(1, WINDOW, HOP)
        ends = audio[:, BEFORE - half :].unfold(1, half + AFTER, STEP)
        steps = ends.shape[1]
        ends = functional.pad(ends, (0, half), "reflect").unfold(2, WINDOW, HOP).flatten(1, 2)
        mel = network.log_mel_of(torch.cat((known, ends), 1))
        known, ends = mel.split((2 * steps + 1, 2 * steps), 2)
        exact = known.unfold(2, 3, 2)
        edges = torch.cat((known[:, :, 2::2, None], ends.unflatten(2, (steps, 2))), 3)
        stem = network.stem
        taps = torch.cat((exact, edges), 2).transpose(1, 2).flatten(2).to(stem.weight.dtype)
        made = functional.gelu(functional.linear(taps, stem.weight.flatten(1), stem.bias))
        return made[:, :steps], made[:, steps:]

    def _through(self, x: torch.Tensor, state: PhoneticStreamState) -> torch.Tensor:
        """Some steps through all blocks: ``[streams, steps, live, hidden]`` -> without ``live``."""
        existing = self._existing(x, state.heard)
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            pairs, gated = state.pairs[:, number], state.gated[:, number]
            wanted = self.settle - self.ahead if number == last else None
            x, after = stream_block(block, x, BlockCache(pairs, gated), existing, wanted)
            pairs.copy_(after.pairs)
            gated.copy_(after.gated)
        state.heard += x.shape[1]
        return x[:, :, 0]

    def _existing(self, x: torch.Tensor, heard: torch.Tensor) -> ValidFrames | None:
        """Which frames the steps find, from that of the stream's first on.

        Before it, where nothing is, live frames see each other: silence.
        """
        if bool((heard >= self.past + self.settle).all()):
            return None
        steps = heard[:, None, None] + torch.arange(x.shape[1])[:, None]
        offsets = torch.arange(-self.past - self.settle, 1)
        exists = steps + offsets >= 0
        seen = exists | ((steps < 0) & (offsets >= -self.settle))
        live = exists[..., self.past :]
        return ValidFrames(seen.to(x.device), live.to(x.device))
