"""Deterministic weights: implementations that agree on names and shapes get the same values.

Every tensor of a state dict is drawn from its own name and a seed, so that the numbers of the
reference implementation can be compared without shipping its weights. The rule is the one by which
the arrays in ``tests/data/reference`` were made; a change to it makes them worthless.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch

_SCALES = ("weight_g", "original0", "gamma")


def filled(shapes: Mapping[str, Sequence[int]], seed: int = 1) -> dict[str, torch.Tensor]:
    """A state dict for ``{name: shape}``: float32, and int64 zeros for batch counters."""
    return {
        name: torch.zeros(tuple(shape), dtype=torch.int64)
        if name.endswith("num_batches_tracked")
        else torch.from_numpy(_drawn(name, tuple(shape), seed))
        for name, shape in shapes.items()
    }


def _drawn(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Standard normal numbers, scaled like such a tensor in a trained network."""
    key = zlib.crc32(f"{seed}:{name}".encode())
    n = np.random.RandomState(key).standard_normal(shape)
    leaf = name.rpartition(".")[2]
    if leaf == "running_var":
        drawn = 1 + 0.1 * np.abs(n)
    elif leaf != "running_mean" and (leaf in _SCALES or (leaf == "weight" and len(shape) == 1)):
        drawn = 1 + 0.1 * n
    elif leaf != "running_mean" and len(shape) >= 2:
        drawn = n / np.sqrt(n.size / shape[0])
    else:
        drawn = 0.1 * n
    return drawn.astype(np.float32)
