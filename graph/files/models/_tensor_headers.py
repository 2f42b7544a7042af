"""What is known of a tensor before its values are read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch


@dataclass(slots=True, eq=False)
class Storage:
    """A run of values in a file, of which tensors are views.

    Attributes:
        key: its name in the file.
        dtype: of its values.
        numel: how many there are.
        position: where it begins, in bytes from the start of the file; -1 while not known.
        swapped: the bytes of each value stand in the order that this machine does not use.
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
    """Shape and type of a tensor in a file, and where its values are.

    Attributes:
        shape: as stored.
        dtype: as stored.
        storage: what it is a view of.
        offset: index of its first value in there.
        stride: steps along the axes, in values.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    storage: Storage | None = field(default=None, compare=False, repr=False)
    offset: int = field(default=0, compare=False, repr=False)
    stride: tuple[int, ...] = field(default=(), compare=False, repr=False)

    @property
    def numel(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that its values take in memory."""
        return self.numel * self.dtype.itemsize

    @property
    def extent(self) -> int:
        """Values of the storage from its first to its last one."""
        if not self.numel:
            return 0
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
