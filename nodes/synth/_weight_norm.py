"""Weight normalisation, folded into plain weights.

T. Salimans and D. P. Kingma, "Weight normalization", NeurIPS 2016: ``w = g v / |v|``. Voice
files contain ``g`` and ``v``; the product is computed once at load.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

_NAMES = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
"""Suffixes of scale and direction: in voice files, and of newer versions of torch."""


def fold(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """State dict with every pair of scale and direction replaced by their ``weight``, in float32.

    The norm is over all axes but the first, for transposed convolutions, too. A scale or a
    direction without its partner stays as it is, so that the check of names reports it.
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
    """The shapes after :func:`fold`."""
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
