"""Counter-based noise: the same numbers on every device, in every batch and in blocks of any size.

``philox`` computes them, without PyTorch.
"""

from __future__ import annotations

import numpy as np
import torch

from .philox import key as key
from .philox import normal as normal
from .philox import normal_of
from .philox import uniform as uniform
from .philox import words as words


def normal_tensor(
    seed: int, node: str, streams: torch.Tensor, positions: torch.Tensor, count: int
) -> torch.Tensor:
    """Standard normal float32 values ``[streams, count]`` on the CPU.

    Args:
        seed: the pipeline's seed.
        node: the node's name.
        streams: stream numbers, int64 ``[streams]``.
        positions: number of the first value of each stream, int64 ``[streams]``.
        count: values per stream.
    """
    rows = [
        words(seed, node, stream, position, count)
        for stream, position in zip(streams.tolist(), positions.tolist(), strict=True)
    ]
    return torch.from_numpy(normal_of(np.stack(rows)))
