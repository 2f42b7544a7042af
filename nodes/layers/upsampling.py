"""Transposed convolutions in the layout ``[streams, frames, channels]``."""

from __future__ import annotations

import torch
from torch import nn

from .convolution import Convolution


def transposed_padding(rate: int, taps: int) -> tuple[int, int]:
    """Padding and output padding with which ``n`` input frames become ``n * rate``.

    With an odd number of taps more than the rate, symmetric padding alone gives a frame too many or
    too few: PyTorch's ``output_padding`` of 1 makes up for it, as in voices with odd rates.

    Raises:
        ValueError: if the taps are fewer than the rate.
    """
    surplus = taps - rate
    if surplus < 0:
        raise ValueError(f"a transposed kernel of {taps} taps leaves gaps at rate {rate}")
    return (surplus + 1) // 2, surplus % 2


class Upsampling(nn.Module):
    """A transposed convolution, computed as a convolution with ``rate`` times the outputs.

    The ``rate`` output frames of each input frame are computed as channels; the memory layout makes
    them consecutive frames. Only where ``can_pack`` is true.

    Args:
        weight: ``[inputs, outputs, taps]``, on the CPU, in the dtype to compute in, as in
            ``Convolution``.
        bias: ``[outputs]``.
        rate: output frames for each input frame.
        padding: frames that are dropped at either end.
        output_padding: of these, frames that are kept at the end.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        rate: int,
        padding: int,
        output_padding: int = 0,
    ) -> None:
        super().__init__()
        inputs, self.outputs, self.taps = weight.shape
        self.rate, self.padding, self.output_padding = rate, padding, output_padding
        reached = -(-self.taps // rate)
        full = nn.functional.pad(weight, (0, reached * rate - self.taps))
        full = full.view(inputs, self.outputs, reached, rate).flip(2)
        kernel = full.permute(3, 1, 0, 2).flatten(0, 1)
        self.product = Convolution(kernel, bias.repeat(rate), padding=reached - 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, inputs]`` -> ``[streams, frames', outputs]``.

        There are ``(frames - 1) * rate + taps - 2 * padding + output_padding`` frames.
        """
        streams, frames, _ = x.shape
        dropped = 2 * self.padding - self.output_padding
        count = (frames - 1) * self.rate + self.taps - dropped
        made = self.product(x).view(streams, -1, self.outputs)
        return made[:, self.padding : self.padding + count]
