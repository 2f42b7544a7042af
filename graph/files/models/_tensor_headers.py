"""Shape, dtype and position of a tensor in a file, known before its values are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

_MOST_VALUES = 1 << 60


def is_addressable(shape: Sequence[int]) -> bool:
    """Whether PyTorch can address a tensor of these sizes, none of them negative.

    Its strides overflow for larger ones, also where a size of 0 leaves the tensor without values.
    """
    return math.prod(max(size, 1) for size in shape) < _MOST_VALUES


@dataclass(slots=True, eq=False)
class Storage:
    """A contiguous block of values in a file; tensors are views of it.

    Attributes:
        key: its name in the file.
        dtype: of its values.
        numel: number of values.
        position: offset in bytes from the start of the file; -1 if not known yet.
        swapped: the bytes of each value must be swapped on this machine.
    """

    key: str
    dtype: torch.dtype
    numel: int
    position: int = -1
    swapped: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """Shape, dtype and position of a tensor in a file.

    Attributes:
        shape: as stored.
        dtype: as stored.
        storage: the block of values that it is a view of.
        offset: index of its first value in the storage.
        stride: steps along the axes, in values.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    storage: Storage | None = field(default=None, compare=False, repr=False)
    offset: int = field(default=0, compare=False, repr=False)
    stride: tuple[int, ...] = field(default=(), compare=False, repr=False)

    @property
    def numel(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its values in memory."""
        return self.numel * self.dtype.itemsize

    @property
    def extent(self) -> int:
        """Number of storage values from its first to its last one."""
        if not self.numel:
            return 0
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
