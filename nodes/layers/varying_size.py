"""Sizes that are computed while an exported network runs, and that no exporter may hold fixed."""

from __future__ import annotations

from typing import Any

import torch
from torch.jit import is_tracing  # pyright: ignore[reportPrivateImportUsage]

_LARGEST = 1 << 24


def counted(count: torch.Tensor, step: int = 1, least: int = 1) -> torch.Tensor:
    """``0, 1 .. step * count - 1`` int64, for a ``count`` that is known at run time alone.

    A tensor that is indexed with it has a size that is a multiple of ``step`` for certain, whatever
    the size of its input was.

    Args:
        count: int64 of no axes.
        step: values for each one counted.
        least: number that it is at least.
    """
    if is_tracing():  # a tensor is recorded, and a number would be held fixed
        return torch.arange(count * step)  # pyright: ignore[reportCallIssue, reportArgumentType]
    number: Any = count.item()  # a number of its own kind, while it is exported
    torch._check(number >= least)
    torch._check(number <= _LARGEST)
    return torch.arange(number * step)
