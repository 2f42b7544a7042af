"""Streaming for training: all steps of a piece at once, several frames in each.

``content.streaming`` makes a step for every frame: the newest frames, which may still change, are
computed anew, the settled ones are remembered. That is eleven times the work of the network, which
is nothing for a stream, and too much for training. Here a step may take some frames more. With a
stride of 1 it is what ``PhoneticStream`` computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import (
    HOP,
    STEP,
    WINDOW,
    Attention,
    Convolution,
    PhoneticBlock,
    PhoneticNetwork,
)

_BEFORE = WINDOW // 2 + HOP
"""Samples that the first frame hears before its centre."""
_KNOWN = HOP
"""Samples that are known beyond the centre of the newest frame."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How the encoder goes through a stream, in frames.

    Attributes:
        settle: frames that may still change, beside the new ones.
        ahead: frames that are heard beyond the one that is given.
        context: settled frames that attention sees.
        stride: new frames in a step.
    """

    settle: int
    ahead: int
    context: int
    stride: int

    @property
    def live(self) -> int:
        """Frames that a step computes."""
        return self.settle + self.stride


def features(
    network: PhoneticNetwork, audio: torch.Tensor, layer: int, steps: Steps
) -> torch.Tensor:
    """What a stream gives.

    Args:
        network: on the audio's device.
        audio: float32 ``[pieces, samples]`` at 16 kHz from the centre of the first frame on, before
            which there is silence.
        layer: after which block.
        steps: how it is gone through.

    Returns:
        ``[pieces, steps, stride, hidden]``: frames ``stride * n - ahead`` and following of step
        ``n``. The first of them has heard most, the last ``ahead`` frames. Those below 0 are
        meaningless.
    """
    known, newest = front(network, audio, steps.stride)
    blocks = cast("list[PhoneticBlock]", list(network.blocks[:layer]))
    half = blocks[0].before  # each frame by itself: once for all steps that compute it
    x = _shared_out(known + 0.5 * half(known), newest + 0.5 * half(newest), steps)
    place = _place(x.shape[1], steps).to(x.device)
    masks = _masks(place, steps)
    first = steps.live - steps.ahead - steps.stride
    given = slice(first, first + steps.stride)
    for number, block in enumerate(blocks):
        x = x if number == 0 else x + 0.5 * block.before(x)
        x = x + _attended(block.attention, x, masks, steps.stride)
        last = number == layer - 1  # of which only what is given is wanted
        y = _convolved(block.convolution, x, place, steps.stride)
        x, y = (x[:, :, given], y[:, :, given]) if last else (x, y)
        x = x + block.convolution.output(functional.silu(y))
        x = block.norm(x + 0.5 * block.after(x))
    return x


def front(
    network: PhoneticNetwork, audio: torch.Tensor, stride: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network begins with: frames heard whole, and the newest frame of each step.

    The newest hears 10 ms beyond its centre, and the rest mirrored.

    Returns:
        ``[pieces, steps * stride, hidden]`` and ``[pieces, steps, hidden]``.
    """
    steps = (audio.shape[1] // STEP - 1) // stride
    padded = functional.pad(audio, (_BEFORE, 0))
    last = STEP * (steps * stride - 1)
    known = _stem(network, padded[:, : _BEFORE + last + HOP + WINDOW // 2])
    heard = padded.unfold(1, _BEFORE + _KNOWN, STEP)[:, stride - 1 :: stride][:, :steps]
    mirrored = functional.pad(heard, (0, WINDOW // 2), "reflect")
    return known, _stem(network, mirrored.flatten(0, 1))[:, 0].view(len(audio), steps, -1)


def _stem(network: PhoneticNetwork, audio: torch.Tensor) -> torch.Tensor:
    spectrum = network.log_mel_of(audio.unfold(1, WINDOW, HOP))
    stem = network.stem  # without what pads it
    x = functional.conv1d(spectrum, stem.weight, stem.bias, stem.stride)
    return functional.gelu(x).transpose(1, 2)


def _shared_out(known: torch.Tensor, newest: torch.Tensor, steps: Steps) -> torch.Tensor:
    """Frames that each step computes, ``[pieces, steps, live, hidden]``."""
    padded = functional.pad(known, (0, 0, steps.settle, 0))
    x = padded.unfold(1, steps.live, steps.stride).transpose(2, 3)
    return torch.cat((x[:, :, :-1], newest[:, :, None]), 2)


def _place(count: int, steps: Steps) -> torch.Tensor:
    """Numbers of the frames that each step computes, ``[steps, live]``; below 0 there are none."""
    first = torch.arange(count)[:, None] * steps.stride - steps.settle
    return first + torch.arange(steps.live)


def _masks(place: torch.Tensor, steps: Steps) -> tuple[torch.Tensor, torch.Tensor]:
    """Which settled frames a step sees ``[steps, 1, settled]``, and which of its own."""
    settled, first = place[:, : steps.stride].reshape(-1), place[:, :1]
    past = (settled >= 0) & (settled < first) & (settled >= first - steps.context)
    return past[:, None], (place >= 0)[:, None]


def _attended(
    attention: Attention,
    x: torch.Tensor,
    masks: tuple[torch.Tensor, torch.Tensor],
    stride: int,
) -> torch.Tensor:
    pieces, count, live, hidden = x.shape
    heads, wide = attention.heads, hidden // attention.heads
    parts = attention.inputs(attention.norm(x)).view(pieces, count, live, 3, heads, wide)
    query, key, value = parts.permute(3, 0, 4, 1, 2, 5)
    query = query * wide**-0.5
    old_key, old_value = (
        found[:, :, :, :stride].reshape(pieces, heads, count * stride, wide)
        for found in (key, value)
    )
    old = query.flatten(2, 3) @ old_key.transpose(2, 3)
    old = old.unflatten(2, (count, live)).masked_fill(~masks[0], -1e9)
    own = (query @ key.transpose(3, 4)).masked_fill(~masks[1], -1e9)
    shares = torch.cat((old, own), -1).softmax(-1)
    y = (shares[..., : count * stride].flatten(2, 3) @ old_value).unflatten(2, (count, live))
    y = y + shares[..., count * stride :] @ value
    return attention.output(y.permute(0, 2, 3, 1, 4).flatten(3))


def _convolved(
    convolution: Convolution, x: torch.Tensor, place: torch.Tensor, stride: int
) -> torch.Tensor:
    depth = convolution.depth
    gated = functional.glu(convolution.gate(convolution.norm(x)), -1)
    gated = gated * (place >= 0)[None, :, :, None]
    reach = depth.kernel_size[0] // 2
    settled = functional.pad(gated[:, :, :stride].flatten(1, 2), (0, 0, reach, 0))
    past = settled.unfold(1, reach, stride)[:, : x.shape[1]].transpose(2, 3)
    wide = functional.pad(torch.cat((past, gated), 2), (0, 0, 0, reach))
    y = functional.conv1d(
        wide.flatten(0, 1).transpose(1, 2), depth.weight, depth.bias, groups=x.shape[3]
    )
    return y.transpose(1, 2).view_as(x)
