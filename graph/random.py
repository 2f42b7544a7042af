"""Counter-based noise: the same numbers on every device, in every batch and in blocks of any size.

Philox 4x64 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) is a function of
a key and a counter, so value ``n`` does not depend on computing earlier values. The key is made of
the pipeline's seed, the node's name and the stream number.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch

_WORDS = 4  # Philox 4x64 gives four words a counter step


def key(seed: int, node: str, stream: int) -> int:
    """The 128-bit key of a random stream."""
    digest = hashlib.blake2b(f"{seed}\0{node}\0{stream}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


def words(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """``count`` random uint64 words, starting at number ``position``: ``[count]``."""
    skip = position % _WORDS
    philox = np.random.Philox(key=key(seed, node, stream), counter=position // _WORDS)
    return philox.random_raw(skip + count)[skip:]


def uniform(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """Float64 values in [0, 1), ``[count]``; value ``n`` depends only on ``position + n``."""
    return (words(seed, node, stream, position, count) >> np.uint64(11)) * 2.0**-53


def normal(seed: int, node: str, stream: int, position: int, count: int) -> np.ndarray:
    """Standard normal float32 values, ``[count]`` (Box and Muller 1958, one word per value)."""
    raw = words(seed, node, stream, position, count)
    radius = ((raw >> np.uint64(32)) + np.uint64(1)) * 2.0**-32  # (0, 1], so that the log is finite
    angle = (raw & np.uint64(0xFFFFFFFF)) * (2.0 * np.pi * 2.0**-32)
    return (np.sqrt(-2.0 * np.log(radius)) * np.cos(angle)).astype(np.float32)


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
        normal(seed, node, int(s), int(p), count)
        for s, p in zip(streams.tolist(), positions.tolist(), strict=True)
    ]
    return torch.from_numpy(np.stack(rows))
