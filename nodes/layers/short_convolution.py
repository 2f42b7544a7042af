"""Short convolution algorithms (Toom-Cook, Winograd), with fewer products, for many channels.

Four output frames of a kernel with four taps need 16 products of channel matrices. As the
coefficients of a polynomial of degree 6 they need 7: this is the product of two polynomials, which
is evaluated at 7 points, with one product each, and interpolated (A. L. Toom, 1963; S. A. Cook,
1966; for filters S. Winograd, "Arithmetic complexity of computations", SIAM 1980; for layers of
networks A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", CVPR 2016).
Longer kernels are split into pieces of four taps, which all use the same 7 values of the input.

The points determine the accuracy: 0, 1, -1, 1/2, -1/2, -2 and infinity lose less than one decimal
digit of float32 (B. Barabasz, A. Anderson, K. M. Soodhalter and D. Gregg, "Error analysis and
improving the accuracy of Winograd convolution for deep neural networks", ACM TOMS 46, 2020).
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn

from .convolution import Convolution

TILE = 4
"""Output frames of a tile, and taps of a piece of the kernel."""
_POINTS = (0.0, 1.0, -1.0, 0.5, -0.5, -2.0)
_COUNT = len(_POINTS) + 1
_ONE = _POINTS.index(1.0)
"""The point whose value is added to all frames of a tile: it carries the bias."""


class ShortConvolution(nn.Module):
    """A convolution after a leaky rectifier; only where ``can_pack`` is true.

    Args:
        weight: ``[outputs, inputs, taps]``, an odd number of taps, float32, on the CPU.
        bias: ``[outputs]``.
        dilation: frames from tap to tap.
        slope: of the leaky rectifier before it.
        padded: whether zeros lie before and after the frames, so that the output is as long as the
            input; otherwise it is shorter by ``(taps - 1) * dilation``.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        dilation: int,
        slope: float,
        padded: bool = True,
    ) -> None:
        super().__init__()
        outputs, _, taps = weight.shape
        self.lead = taps // 2 if padded else 0
        self.lost = 0 if padded else taps - 1
        self.dilation = dilation
        self.slope = slope
        self.pieces = -(-taps // TILE)
        to_values, kernel_to_values, to_frames = transforms()
        cut = nn.functional.pad(weight, (0, self.pieces * TILE - taps)).double()
        values = cut.unflatten(2, (self.pieces, TILE)) @ kernel_to_values.T
        values = values.permute(3, 0, 1, 2).flatten(0, 1).float()
        biases = torch.zeros(_COUNT, outputs)
        biases[_ONE] = bias / to_frames[0, _ONE]
        self.products = Convolution(values, biases.flatten(), groups=_COUNT)
        self.to_values, self.to_frames = to_values.float(), to_frames.float()

    @staticmethod
    def is_faster(channels: int, taps: int) -> bool:
        """Whether it is faster than direct convolution, measured with AVX-512 on one and two cores.

        The transforms are passes through memory, which pay off for many channels and taps only.
        """
        return (channels >= 256 and taps > TILE) or (channels >= 128 and taps >= 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, inputs]`` -> ``[streams, frames, outputs]``, fewer if not padded."""
        streams, frames, _ = x.shape
        rows = -(-frames // self.dilation)
        padded = -(-(rows + self.lead) // TILE) * TILE
        line = self._line(x, rows, padded)
        made = self._run(line).view(streams, self.dilation, padded, -1)
        made = made[:, :, : rows - self.lost]
        if self.dilation == 1:
            return made[:, 0]
        return made.transpose(1, 2).flatten(1, 2)[:, : frames - self.lost * self.dilation]

    def _line(self, x: torch.Tensor, rows: int, padded: int) -> torch.Tensor:
        """Rectified input ``[streams * dilation * padded and a margin, inputs]``.

        Frames at the distance of the dilation become neighbours. All such lines, of all streams,
        are concatenated; the zeros between two of them pad both.
        """
        streams, frames, channels = x.shape
        count = streams * self.dilation * padded
        line = x.new_empty(count + TILE * self.pieces - 1, channels)
        line[: self.lead] = 0
        line[self.lead + count :] = 0
        body = line[self.lead : self.lead + count].view(streams, self.dilation, padded, channels)
        whole = frames // self.dilation
        body[:, :, whole:] = 0
        split = x[:, : whole * self.dilation].unflatten(1, (whole, self.dilation)).transpose(1, 2)
        torch.ops.aten.leaky_relu.out(split, self.slope, out=body[:, :, :whole])
        if rows > whole:
            rest = frames - whole * self.dilation
            torch.ops.aten.leaky_relu.out(
                x[:, whole * self.dilation :], self.slope, out=body[:, :rest, whole]
            )
        return line

    def _run(self, line: torch.Tensor) -> torch.Tensor:
        """A line ``[4 tiles + margin, inputs]`` -> ``[tiles, 4, outputs]``."""
        length, channels = line.shape
        tiles = length // TILE - self.pieces + 1
        seen = tiles + self.pieces - 1
        windows = line.as_strided((seen, _COUNT, channels), (TILE * channels, channels, 1))
        values = torch.bmm(self.to_values.expand(seen, -1, -1), windows)
        products = self.products(values.flatten(1)[None]).view(tiles, _COUNT, -1)
        return torch.bmm(self.to_frames.expand(tiles, -1, -1), products)


@functools.cache
def transforms() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Input to values ``[7, 7]``, kernel to values ``[7, 4]``, values to frames ``[4, 7]``.

    In float64. Every point is scaled by powers of two, so that no value is much larger than its
    input.
    """
    polynomial = np.polynomial.polynomial
    points = np.array(_POINTS)
    rows = []
    for i in range(_COUNT):
        found = polynomial.polyfromroots(np.delete(points, i) if i < len(points) else points)
        rows.append(np.pad(found, (0, _COUNT - len(found))))
    to_values = np.array(rows)
    apart = np.array([np.prod(p - np.delete(points, i)) for i, p in enumerate(points)])
    powers = np.vander(points, TILE, increasing=True)
    last = np.eye(TILE)[-1:]
    kernel = np.concatenate([powers / apart[:, None], last])
    to_frames = np.concatenate([powers, last]).T
    inner = 2.0 ** np.round(np.log2(np.linalg.norm(to_values, axis=1)))
    outer = 2.0 ** np.round(np.log2(np.linalg.norm(to_frames, axis=0)))
    with torch.inference_mode(False):
        return (
            torch.from_numpy(to_values / inner[:, None]),
            torch.from_numpy(kernel * (inner * outer)[:, None]),
            torch.from_numpy(to_frames / outer),
        )
