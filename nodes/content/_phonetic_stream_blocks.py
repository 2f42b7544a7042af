"""A block of a phonetic encoder on the live frames of a stream, several steps in one call.

At each step the newest frames are live: they attend to each other in both directions, and to the
past. The oldest of them is then settled: its cached values do not change any more. The settled
values of a block depend on the previous block alone, so several steps are computed in parallel.

Everywhere ``x`` is ``[streams, steps, live, hidden]``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import Attention, Convolution, PhoneticBlock


class ValidFrames(NamedTuple):
    """Masks of the frames that exist, at the beginning of a stream.

    Attributes:
        seen: bool ``[streams, steps, past + live]``, frames that attention uses.
        live: bool ``[streams, steps, live]``.
    """

    seen: torch.Tensor
    live: torch.Tensor


class BlockCache(NamedTuple):
    """Cached values of settled frames in a block, the newest frame last.

    Attributes:
        pairs: ``[streams, past, 2 hidden]``, keys and values.
        gated: ``[streams, reach, hidden]``, input of the depthwise convolution.
    """

    pairs: torch.Tensor
    gated: torch.Tensor


def stream_block(
    block: PhoneticBlock,
    x: torch.Tensor,
    settled: BlockCache,
    existing: ValidFrames | None,
    wanted: int | None = None,
) -> tuple[torch.Tensor, BlockCache]:
    """The block's output for live frames, and the cache after the steps.

    Args:
        block: of the network.
        x: its input.
        settled: the cache before the first step.
        existing: masks of the frames that exist; None if all do.
        wanted: index of the only live frame of the output; None for all.

    Returns:
        ``[streams, steps, live or 1, hidden]``.
    """
    x = torch.add(x, block.before(x), alpha=0.5)
    heard, pairs = _attend(block.attention, x, settled.pairs, existing)
    x = x + heard
    heard, gated = _convolve(block.convolution, x, settled.gated, existing, wanted)
    x = heard + (x if wanted is None else x[:, :, wanted : wanted + 1])
    return block.norm(torch.add(x, block.after(x), alpha=0.5)), BlockCache(pairs, gated)


def _attend(
    attention: Attention, x: torch.Tensor, pairs: torch.Tensor, existing: ValidFrames | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values of a live frame are used in its own step only, until it is settled."""
    streams, steps, live, hidden = x.shape
    heads, batch = attention.heads, streams * steps
    query, own = attention.inputs(attention.norm(x)).split((hidden, 2 * hidden), -1)
    seen, pairs = _with_past(pairs, own)
    key, value = seen.view(batch, -1, 2, heads, hidden // heads).permute(2, 0, 3, 1, 4)
    query = query.reshape(batch, live, heads, hidden // heads).transpose(1, 2)
    mask = None if existing is None else existing.seen.view(batch, 1, 1, -1)
    y = functional.scaled_dot_product_attention(query, key, value, mask)
    return attention.output(y.transpose(1, 2).reshape(x.shape)), pairs


def _convolve(
    convolution: Convolution,
    x: torch.Tensor,
    gated: torch.Tensor,
    existing: ValidFrames | None,
    wanted: int | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Zeros lie after the newest frame and before the first."""
    streams, steps, _, hidden = x.shape
    depth, reach = convolution.depth, gated.shape[1]
    taps = depth.kernel_size[0]
    own = functional.glu(convolution.gate(convolution.norm(x)), -1)
    if existing is not None:
        own = own * existing.live[..., None]
    seen, gated = _with_past(gated, own)
    seen = functional.pad(seen.transpose(1, 2), (0, taps - 1 - reach))
    if wanted is not None:
        seen = seen[..., wanted : wanted + taps]
    y = functional.conv1d(seen, depth.weight, depth.bias, groups=hidden)
    y = convolution.output(functional.silu(y).transpose(1, 2))
    return y.view(streams, steps, -1, hidden), gated


def _with_past(past: torch.Tensor, own: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``[streams, p, width]`` before ``[streams, steps, live, width]``.

    Returns:
        The inputs of each step, ``[streams * steps, p + live, width]``, and the past after them.
    """
    steps, size = own.shape[1], past.shape[1]
    line = torch.cat((past, own[:, :, 0]), 1)
    before = line.unfold(1, size, 1)[:, :steps].transpose(2, 3)
    return torch.cat((before, own), 2).flatten(0, 1), line[:, steps:]
