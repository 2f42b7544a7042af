"""Pitch networks, held once a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from voicegraph.graph.weights import Archive, open_archive, shared

T = TypeVar("T")


def held(
    use: str,
    path: Path,
    device: torch.device,
    dtype: torch.dtype,
    read: Callable[[Archive, torch.device, torch.dtype], T],
) -> T:
    """What ``read`` makes of a file, once a process for each device and precision.

    Args:
        use: the node, by its name.
        path: the file; one that changed is read anew.
        device: where the network goes.
        dtype: the precision it computes in.
        read: brings the weights.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    archive = open_archive(path)
    changed = archive.file.stat().st_mtime_ns
    key = (use, path, changed, archive.size, str(device), dtype)
    return shared(key, lambda: read(archive, device, dtype))
