"""Running statistics of the samples under the encoder's first kernel.

The first norm of HuBERT is over time: mean and variance of each channel over the whole input. Both
follow from mean and covariance of the samples under the kernel, and these from sums over frames. So
a stream keeps the sums of each frame, and adds up those of the newest window at each block: nothing
drifts, and the result does not depend on how the frames arrived in blocks.
"""

from __future__ import annotations

import torch

from voicegraph.nodes.content.hubert_sizes import STRIDES


class RunningStatistics:
    """Mean and covariance of the newest frames.

    A frame's own rows are the ``320 / 5 = 64`` placements of the kernel from its first sample on.
    The newest frame reaches further, by ``tail`` placements, which are counted, too: so the
    statistics of ``n`` frames are those of their ``320 n + 80`` samples.

    Args:
        taps: of the kernel.
        step: placements of the kernel from frame to frame, 64.
        tail: placements after those of the newest frame, 15.
        window: number of frames.
    """

    def __init__(self, taps: int, step: int, tail: int, window: int) -> None:
        self.taps, self.step, self.tail, self.window = taps, step, tail, window

    def begin(self, streams: int, device: torch.device) -> torch.Tensor:
        """Sums without a frame, float64 ``[streams, window, taps, taps + 1]``."""
        shape = (streams, self.window, self.taps, self.taps + 1)
        return torch.zeros(shape, dtype=torch.float64, device=device)

    def rows(self, audio: torch.Tensor) -> torch.Tensor:
        """``[streams, samples]`` -> the samples under the kernel, float64 ``[.., rows, taps]``."""
        return audio.unfold(1, self.taps, STRIDES[0]).double()

    def sums(self, rows: torch.Tensor) -> torch.Tensor:
        """Sums of products and of values, ``[..., rows, taps]`` -> ``[..., taps, taps + 1]``."""
        turned = rows.transpose(-1, -2)
        return torch.cat((turned @ rows, turned.sum(-1, keepdim=True)), -1)

    def update(
        self, rows: torch.Tensor, sums: torch.Tensor, before: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Adds new frames; ``sums`` is changed in place.

        Args:
            rows: of the new frames and the tail.
            sums: of the newest frames, in a ring: frame ``k`` has place ``k % window``.
            before: ``[streams]``, on the CPU: number of the first new frame; frames below 0 do not
                exist.

        Returns:
            Mean ``[streams, 1, taps]`` and covariance ``[streams, taps, taps]``, float64.
        """
        streams, count, taps = rows.shape
        new = (count - self.tail) // self.step
        made = self.sums(rows[:, : new * self.step].view(streams, new, self.step, taps))
        counts = []
        for stream, first in enumerate(before.tolist()):
            for frame in range(max(first, 0, first + new - self.window), first + new):
                sums[stream, frame % self.window] = made[stream, frame - first]
            frames = min(max(first + new, 0), self.window)
            counts.append(frames * self.step + (self.tail if frames else 0))
        exists = torch.tensor(counts, dtype=torch.float64, device=rows.device)[:, None, None]
        total = sums.sum(1) + self.sums(rows[:, new * self.step :]) * (exists > 0)
        total /= exists.clamp_min(1)
        mean = total[:, None, :, -1]
        return mean, total[..., :-1] - mean.transpose(1, 2) * mean
