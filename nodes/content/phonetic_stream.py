"""A phonetic encoder as a stream, with cached keys, values and convolution inputs.

There is one step for each frame of 20 ms. At the step of frame ``P`` the audio is known up to
sample ``320 P + 160``, and frames ``P - settle`` to ``P`` are live: they are computed again, and
attend to each other in both directions and to ``past`` frames before them. The output is frame ``P
- ahead``. Then frame ``P - settle`` is settled: its key, value and gated value in each block are
cached for later steps.

The spectrum of the newest frame reaches beyond the audio, which is reflected there, as at the end
of a file; at the next step that spectrum is exact. Before the stream there is silence, and no
frames.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import cast

import torch
from torch.nn import functional

from voicegraph.graph import State
from voicegraph.nodes.content._phonetic_stream_blocks import (
    BlockCache,
    Projected,
    ValidFrames,
    live_frames,
    project,
    stream_block,
)
from voicegraph.nodes.content.phonetic_network import (
    HOP,
    STEP,
    WINDOW,
    PhoneticBlock,
    PhoneticNetwork,
)

BEFORE = STEP + HOP + WINDOW // 2
"""Samples needed before the centre of the first step's frame."""
AFTER = HOP
"""Samples needed after the centre of the last step's frame."""
PAST, SETTLE, AHEAD = 200, 10, 3
"""In frames, the defaults of ``content.streaming``, for which the bundled encoder was trained: 4 s,
200 ms, and 50 ms beyond the end of a block."""
_AT_ONCE = 16
"""Steps computed in one call: more need more memory, and are hardly faster."""


@dataclass
class PhoneticStreamState(State):
    """State of a stream.

    ``heard`` ``[streams]`` int64: frame of the next step, counted from the stream's first; below 0
    before that. It stays on the CPU, which uses it for control flow. ``stems`` ``[streams, settle -
    1, hidden]``: input of the first block for the newest exact frames. ``pairs`` ``[streams,
    blocks, past, 2 hidden]``: keys and values of settled frames, and ``gated`` ``[streams, blocks,
    taps // 2, hidden]``: their gated values.
    """

    heard: torch.Tensor
    stems: torch.Tensor
    pairs: torch.Tensor
    gated: torch.Tensor


class PhoneticStream:
    """A network that is evaluated in steps.

    Args:
        network: on any device, in any precision.
        layer: the block after which features are taken, from 1.
        past: number of settled frames that attention uses, at least 1.
        settle: number of frames after which a frame is settled, at least 1.
        ahead: look-ahead of the output in frames, 1 to ``settle``.
        portable: for an exported network: no branch depends on how old the stream is.

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
        portable: bool = False,
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
        self.portable = portable

    def begin(self, streams: int, heard: int = 0) -> PhoneticStreamState:
        """The state at the beginning of a stream.

        Args:
            streams: number of streams.
            heard: frame of the first step, at most 0: frames before 0 do not exist.
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
        made = []
        for first in range(0, steps, _AT_ONCE):
            some = edges[:, first : first + _AT_ONCE]
            used = line[:, first : first + self.settle - 1 + some.shape[1]]
            made.append(self._through(used, some, state))
        state.stems.copy_(line[:, steps:])
        return torch.cat(made, 1).float()

    def whole(self, audio: torch.Tensor) -> torch.Tensor:
        """The output of a stream for a whole utterance, followed by silence.

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
        """Inputs of the first block, each ``[streams, steps, hidden]``.

        Returns:
            Exact ones of the frame before each step, and provisional ones of each step's frame.
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

    def _through(
        self, line: torch.Tensor, edges: torch.Tensor, state: PhoneticStreamState
    ) -> torch.Tensor:
        """Steps through all blocks.

        Args:
            line: exact frames ``[streams, settle - 1 + steps, hidden]``.
            edges: the newest frame of each step, ``[streams, steps, hidden]``.
            state: of the streams; changed in place.

        Returns:
            ``[streams, steps, hidden]``.
        """
        valid = self._valid(edges, state.heard)
        last = len(self.blocks) - 1
        x = edges
        for number, block in enumerate(self.blocks):
            cache = BlockCache(state.pairs[:, number], state.gated[:, number])
            wanted = self.settle - self.ahead if number == last else None
            given = project(block, x) if number else self._first(line, edges)
            x = stream_block(block, given, cache, valid, wanted)
        state.heard += x.shape[1]
        return x[:, :, 0]

    def _first(self, line: torch.Tensor, edges: torch.Tensor) -> Projected:
        """The live frames in the first block; of those that steps share each one is made once."""
        both = torch.cat(project(self.blocks[0], torch.cat((line, edges), 1)), 2)
        count, width = line.shape[1], line.shape[2]
        live = live_frames(both[:, :count], both[:, count:])
        return Projected(*live.split((width, 3 * width), -1))

    def _valid(self, x: torch.Tensor, heard: torch.Tensor) -> ValidFrames:
        """Masks of the frames that each step uses.

        Before the stream, live frames attend to each other: they hold silence.
        """
        steps = x.shape[1]
        used = _used(self.past, self.settle, steps, x.device, x.dtype)
        if not self.portable and min(heard.tolist()) >= self.past + self.settle:
            return ValidFrames(used, None)
        numbers = heard[:, None] + torch.arange(steps)
        live = numbers[:, :, None] + torch.arange(-self.settle, 1)
        settled = heard[:, None] + torch.arange(-self.past - self.settle, -self.settle)
        same = torch.eye(steps, dtype=torch.bool).repeat_interleave(self.settle + 1, 1)
        own = (live >= 0).flatten(1)[:, None] | ((numbers < 0)[:, :, None] & same)
        exists = torch.cat(((settled >= 0)[:, None].expand(-1, steps, -1), own), 2)
        exists = exists.repeat_interleave(self.settle + 1, 1)[:, None]
        seen = torch.where(exists.to(x.device), used, -torch.inf)
        return ValidFrames(seen, (live >= 0).to(x.device))


@functools.lru_cache(maxsize=64)
def _used(
    past: int, settle: int, steps: int, device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """What steps attend to in a stream that is long enough, as ``ValidFrames.seen``.

    Step ``s`` sees the settled frames from ``s`` on, of each earlier step the oldest live frame,
    which has settled since, and all its own live frames.
    """
    live = settle + 1
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        step = torch.arange(steps)[:, None]
        frames = torch.arange(steps * live)
        own = frames // live == step
        earlier = (frames // live < step) & (frames % live == 0) & (step - frames // live <= past)
        seen = torch.cat((torch.arange(past) >= step, own | earlier), 1)
        added = torch.where(seen, 0.0, -torch.inf).to(device, dtype)
        return added.repeat_interleave(live, 0)[None, None]
