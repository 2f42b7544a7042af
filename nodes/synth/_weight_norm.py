"""Weight normalisation, folded into plain weights.

T. Salimans and D. P. Kingma, "Weight normalization", NeurIPS 2016: ``w = g v / |v|``. Voices keep
``g`` and ``v``; one product at load saves it at every tick.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

_NAMES = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
"""Endings of scale and direction: as voices have them, and as newer versions of torch name them."""


def fold(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """State dict with every pair of scale and direction replaced by their ``weight``, in float32.

    The norm is taken over all axes but the first, for transposed convolutions, too. A scale or a
    direction without its partner stays as it is, for whoever checks names to report.
    """
    folded = {name: tensor.float() for name, tensor in tensors.items()}
    for scale_ending, direction_ending in _NAMES:
        for name in [n for n in folded if n.endswith(direction_ending)]:
            stem = name.removesuffix(direction_ending)
            if stem + scale_ending in folded:
                direction = folded.pop(name)
                folded[f"{stem}.weight"] = _product(folded.pop(stem + scale_ending), direction)
    return folded


def folded_shapes(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """What :func:`fold` would make of tensors of these shapes."""
    found = dict(shapes)
    for scale_ending, direction_ending in _NAMES:
        for name in [n for n in found if n.endswith(direction_ending)]:
            stem = name.removesuffix(direction_ending)
            if stem + scale_ending in found:
                found[f"{stem}.weight"] = found.pop(name)
                del found[stem + scale_ending]
    return found


def _product(scale: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    axes = tuple(range(1, direction.ndim))
    return direction * (scale / torch.linalg.vector_norm(direction, dim=axes, keepdim=True))
