"""Parallel streaming for training: all steps of a piece at once, several frames in each step.

``content.streaming`` makes one step for every frame: it recomputes the newest frames, which may
still change, and caches the settled ones. That is eleven times the work of the network: little for
a stream, too much for training. Here a step may advance by several frames. With a stride of 1 the
result is that of ``PhoneticStream``.
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
"""Samples before the centre of the first frame that it depends on."""
_KNOWN = HOP
"""Samples after the centre of the newest frame that are known."""


@dataclass(frozen=True, slots=True)
class StreamingSteps:
    """Geometry of a stream, in frames.

    Attributes:
        settle: frames that are recomputed beside the new ones.
        ahead: look-ahead beyond the frame that a step gives.
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
    network: PhoneticNetwork, audio: torch.Tensor, layer: int, steps: StreamingSteps
) -> torch.Tensor:
    """The features that a stream gives.

    Args:
        network: on the audio's device.
        audio: float32 ``[pieces, samples]`` at 16 kHz from the centre of the first frame on;
            silence comes before it.
        layer: number of the blocks that are computed.
        steps: geometry of the stream.

    Returns:
        ``[pieces, steps, stride, hidden]``: frames ``stride * n - ahead`` and following of step
        ``n``. The first has the most look-ahead, the last ``ahead`` frames. Frames below 0 are
        meaningless.
    """
    known, newest = frontend(network, audio, steps.stride)
    blocks = cast("list[PhoneticBlock]", list(network.blocks[:layer]))
    half = blocks[0].before  # each frame by itself: once for all steps that compute it
    x = _frames_of_steps(known + 0.5 * half(known), newest + 0.5 * half(newest), steps)
    numbers = _frame_numbers(x.shape[1], steps).to(x.device)
    masks = _masks(numbers, steps)
    first = steps.live - steps.ahead - steps.stride
    given = slice(first, first + steps.stride)
    for number, block in enumerate(blocks):
        x = x if number == 0 else x + 0.5 * block.before(x)
        x = x + _attention(block.attention, x, masks, steps.stride)
        last = number == layer - 1  # only the frames that are given are needed
        y = _convolution(block.convolution, x, numbers, steps.stride)
        x, y = (x[:, :, given], y[:, :, given]) if last else (x, y)
        x = x + block.convolution.output(functional.silu(y))
        x = block.norm(x + 0.5 * block.after(x))
    return x


def frontend(
    network: PhoneticNetwork, audio: torch.Tensor, stride: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Output of the first layer: complete frames, and the newest frame of each step.

    The newest frame knows 10 ms after its centre; the rest is mirrored.

    Returns:
        ``[pieces, steps * stride, hidden]`` and ``[pieces, steps, hidden]``.
    """
    steps = (audio.shape[1] // STEP - 1) // stride
    padded = functional.pad(audio, (_BEFORE, 0))
    last = STEP * (steps * stride - 1)
    known = _stem(network, padded[:, : _BEFORE + last + HOP + WINDOW // 2])
    newest = padded.unfold(1, _BEFORE + _KNOWN, STEP)[:, stride - 1 :: stride][:, :steps]
    mirrored = functional.pad(newest, (0, WINDOW // 2), "reflect")
    return known, _stem(network, mirrored.flatten(0, 1))[:, 0].view(len(audio), steps, -1)


def _stem(network: PhoneticNetwork, audio: torch.Tensor) -> torch.Tensor:
    spectrum = network.log_mel_of(audio.unfold(1, WINDOW, HOP))
    stem = network.stem  # without its padding
    x = functional.conv1d(spectrum, stem.weight, stem.bias, stem.stride)
    return functional.gelu(x).transpose(1, 2)


def _frames_of_steps(
    known: torch.Tensor, newest: torch.Tensor, steps: StreamingSteps
) -> torch.Tensor:
    """The frames that each step computes, ``[pieces, steps, live, hidden]``."""
    padded = functional.pad(known, (0, 0, steps.settle, 0))
    x = padded.unfold(1, steps.live, steps.stride).transpose(2, 3)
    return torch.cat((x[:, :, :-1], newest[:, :, None]), 2)


def _frame_numbers(count: int, steps: StreamingSteps) -> torch.Tensor:
    """Numbers of the frames that each step computes, ``[steps, live]``; below 0 none exist."""
    first = torch.arange(count)[:, None] * steps.stride - steps.settle
    return first + torch.arange(steps.live)


def _masks(numbers: torch.Tensor, steps: StreamingSteps) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks of the settled frames that a step sees, ``[steps, 1, settled]``, and of its own."""
    settled, first = numbers[:, : steps.stride].reshape(-1), numbers[:, :1]
    past = (settled >= 0) & (settled < first) & (settled >= first - steps.context)
    return past[:, None], (numbers >= 0)[:, None]


def _attention(
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


def _convolution(
    convolution: Convolution, x: torch.Tensor, numbers: torch.Tensor, stride: int
) -> torch.Tensor:
    depth = convolution.depth
    gated = functional.glu(convolution.gate(convolution.norm(x)), -1)
    gated = gated * (numbers >= 0)[None, :, :, None]
    reach = depth.kernel_size[0] // 2
    settled = functional.pad(gated[:, :, :stride].flatten(1, 2), (0, 0, reach, 0))
    past = settled.unfold(1, reach, stride)[:, : x.shape[1]].transpose(2, 3)
    wide = functional.pad(torch.cat((past, gated), 2), (0, 0, 0, reach))
    y = functional.conv1d(
        wide.flatten(0, 1).transpose(1, 2), depth.weight, depth.bias, groups=x.shape[3]
    )
    return y.transpose(1, 2).view_as(x)
