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


def stream_block(
    block: PhoneticBlock,
    x: torch.Tensor,
    settled: BlockCache,
    valid: ValidFrames,
    wanted: int | None = None,
) -> torch.Tensor:
    """The block's output for live frames; the cache is then that after the steps.

    Args:
        block: of the network.
        x: its input.
        settled: the cache before the first step.
        valid: which frames each step uses.
        wanted: index of the only live frame of the output; None for all.

    Returns:
        ``[streams, steps, live or 1, hidden]``.
    """
    x = block.before.add_half(x)
    x = x + _attend(block.attention, x, settled.pairs, valid.seen)
    heard = _convolve(block.convolution, x, settled.gated, valid.live, wanted)
    x = heard + (x if wanted is None else x[:, :, wanted : wanted + 1])
    return block.norm(block.after.add_half(x))


def _attend(
    attention: Attention, x: torch.Tensor, pairs: torch.Tensor, seen: torch.Tensor
) -> torch.Tensor:
    """Keys and values of a live frame are used in its own step only, until it is settled."""
    streams, hidden = len(x), x.shape[3]
    heads, width = attention.heads, hidden // attention.heads
    query, own = attention.inputs(attention.norm(x)).split((hidden, 2 * hidden), -1)
    line = torch.cat((pairs, own.flatten(1, 2)), 1)
    key, value = line.view(streams, -1, 2, heads, width).permute(2, 0, 3, 1, 4)
    query = query.reshape(streams, -1, heads, width).transpose(1, 2)
    y = functional.scaled_dot_product_attention(query, key, value, seen)
    _settle(pairs, line, own[:, :, 0])
    return attention.output(y.transpose(1, 2).reshape(x.shape))


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
    streams, steps, live, hidden = x.shape
    depth, reach = convolution.depth, gated.shape[1]
    own = functional.glu(convolution.gate(convolution.norm(x)), -1)
    if existing is not None:
        own = own * existing[..., None]
    line = torch.cat((gated, own[:, :, 0]), 1)
    wide = own.new_zeros(streams, steps, live + depth.taps - 1, hidden)
    wide[:, :, :reach] = line.unfold(1, reach, 1)[:, :steps].transpose(2, 3)
    wide[:, :, reach : reach + live] = own
    if wanted is not None:
        wide = wide[:, :, wanted : wanted + depth.taps]
    gated.copy_(line[:, steps:])
    y = convolution.output(functional.silu(depth(wide.flatten(0, 1))))
    return y.view(streams, steps, -1, hidden)
