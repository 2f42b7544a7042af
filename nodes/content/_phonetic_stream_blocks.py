"""A block of a phonetic encoder on the live frames of a stream, several steps in one call.

At each step the newest frames are live: they attend to each other in both directions, and to the
past. The oldest of them is then settled: its cached values do not change any more. The settled
values of a block depend on the previous block alone, so several steps are computed in parallel.

Everywhere ``x`` is ``[streams, steps, live, hidden]``.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import Attention, Convolution, PhoneticBlock


class ValidFrames(NamedTuple):
    """Which frames a step uses.

    Attributes:
        seen: ``[streams or 1, 1, steps * live, past + steps * live]``, added to the scores of the
            attention: 0, or minus infinity for frames that a live frame does not attend to. The
            settled frames before the first step come first, then the live frames of every step.
        live: bool ``[streams, steps, live]``: frames that exist; None if all do.
    """

    seen: torch.Tensor
    live: torch.Tensor | None


class BlockCache(NamedTuple):
    """Cached values of settled frames in a block, the newest frame last; changed in place.

    Attributes:
        pairs: ``[streams, past, 2 hidden]``, keys and values.
        gated: ``[streams, reach, hidden]``, input of the depthwise convolution.
    """

    pairs: torch.Tensor
    gated: torch.Tensor


class Projected(NamedTuple):
    """Frames after the first half of the feed-forward, which takes each frame by itself.

    Attributes:
        x: ``[..., hidden]``.
        parts: ``[..., 3 hidden]``, their queries, keys and values.
    """

    x: torch.Tensor
    parts: torch.Tensor


def project(block: PhoneticBlock, x: torch.Tensor) -> Projected:
    """What a block makes of each frame alone: ``[..., hidden]`` of its input."""
    x = block.before.add_half(x)
    return Projected(x, block.attention.inputs(block.attention.norm(x)))


def live_frames(line: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """The live frames of each step, ``[streams, steps, live, width]``.

    Args:
        line: ``[streams, live + steps - 2, width]``, exact frames; a step uses all but one of its
            live frames, and the next one those that begin one later.
        edges: ``[streams, steps, width]``, each step's newest frame.
    """
    exact = line.unfold(1, line.shape[1] - edges.shape[1] + 1, 1).transpose(2, 3)
    return torch.cat((exact, edges[:, :, None]), 2)


def stream_block(
    block: PhoneticBlock,
    given: Projected,
    settled: BlockCache,
    valid: ValidFrames,
    wanted: int | None = None,
) -> torch.Tensor:
    """The block's output for live frames; the cache is then that after the steps.

    Args:
        block: of the network.
        given: what :func:`project` made of its input.
        settled: the cache before the first step.
        valid: which frames each step uses.
        wanted: index of the only live frame of the output; None for all.

    Returns:
        ``[streams, steps, live or 1, hidden]``.
    """
    x = given.x + _attend(block.attention, given.parts, settled.pairs, valid.seen)
    heard = _convolve(block.convolution, x, settled.gated, valid.live, wanted)
    x = heard.add_(x if wanted is None else x[:, :, wanted : wanted + 1])
    return block.norm(block.after.add_half(x))


def _attend(
    attention: Attention, parts: torch.Tensor, pairs: torch.Tensor, seen: torch.Tensor
) -> torch.Tensor:
    """Keys and values of a live frame are used in its own step only, until it is settled."""
    streams, steps, live, width = parts.shape
    hidden, heads = width // 3, attention.heads
    query, own = parts.split((hidden, 2 * hidden), -1)
    line = torch.cat((pairs, own.flatten(1, 2)), 1)
    key, value = line.view(streams, -1, 2, heads, hidden // heads).permute(2, 0, 3, 1, 4)
    query = query.reshape(streams, steps * live, heads, -1).transpose(1, 2)
    y = functional.scaled_dot_product_attention(query, key, value, seen)
    _settle(pairs, line, own[:, :, 0])
    return attention.output(y.transpose(1, 2).reshape(streams, steps, live, hidden))


def _settle(held: torch.Tensor, before: torch.Tensor, new: torch.Tensor) -> None:
    """Appends ``new`` ``[streams, steps, width]`` to ``held`` ``[streams, size, width]`` in place.

    ``before`` begins with a copy of ``held``.
    """
    size, steps = held.shape[1], new.shape[1]
    kept = max(size - steps, 0)
    held[:, :kept] = before[:, size - kept : size]
    held[:, kept:] = new[:, max(steps - size, 0) :]


def _convolve(
    convolution: Convolution,
    x: torch.Tensor,
    gated: torch.Tensor,
    existing: torch.Tensor | None,
    wanted: int | None,
) -> torch.Tensor:
    """Zeros lie after the newest frame and before the first."""
    streams, steps, _, hidden = x.shape
    depth, reach = convolution.depth, gated.shape[1]
    own = functional.glu(convolution.gate(convolution.norm(x)), -1)
    if existing is not None:
        own = own * existing[..., None]
    line = torch.cat((gated, own[:, :, 0]), 1)
    before = line.unfold(1, reach, 1)[:, :steps].transpose(2, 3)
    after = _nothing(own.device, own.dtype).expand(streams, steps, depth.taps - 1 - reach, hidden)
    wide = torch.cat((before, own, after), 2)
    if wanted is not None:
        wide = wide[:, :, wanted : wanted + depth.taps]
    gated.copy_(line[:, steps:])
    y = convolution.output(functional.silu(depth(wide.flatten(0, 1))))
    return y.view(streams, steps, -1, hidden)


@functools.lru_cache(maxsize=8)
def _nothing(device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        return torch.zeros((), device=device, dtype=dtype)
