"""Puts tensors into a module, every misfit told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from ..errors import Problem, WeightsError
from .refusal import printable

_MOST_SHOWN = 8


def fit(module: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path, what: str) -> None:
    """Makes ``tensors`` the parameters and buffers of a module, without copies where they fit.

    Floating-point values take the dtype that the module has there, and its device unless that is
    ``meta``: a module may be built without memory, and filled here.

    Args:
        module: built, on any device.
        tensors: by the names of ``module.state_dict()``.
        path: the file they are from, for messages.
        what: what the file should be, with its article: ``a HuBERT encoder``.

    Raises:
        WeightsError: with all that is missing, too much, or of another shape or sort.
    """
    wanted = module.state_dict()
    misfits = _misfits(wanted, tensors)
    if misfits:
        shown = [(printable(text)[:200], None) for text in misfits[:_MOST_SHOWN]]
        if len(misfits) > _MOST_SHOWN:
            shown.append((f"and {len(misfits) - _MOST_SHOWN} more", None))
        raise WeightsError(
            Problem(
                "weights-do-not-fit",
                f"{path}: its tensors are not those of {what}",
                notes=tuple(shown),
                fix=f"voicegraph inspect {path}",
            )
        )
    fitted = {name: _cast(tensors[name], wanted[name], name, path) for name in wanted}
    module.load_state_dict(fitted, assign=True)


def _misfits(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> list[str]:
    lines = [f"missing: {name} {list(wanted[name].shape)}" for name in wanted if name not in found]
    lines += [
        f"not known: {name} {list(found[name].shape)}" for name in found if name not in wanted
    ]
    for name in (name for name in wanted if name in found):
        one, other = wanted[name], found[name]
        if one.shape != other.shape:
            lines.append(f"{name}: expected {list(one.shape)}, found {list(other.shape)}")
        elif one.is_floating_point() != other.is_floating_point():
            lines.append(f"{name}: expected {_sort(one)}, found {_sort(other)}")
    return lines


def _sort(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _cast(tensor: torch.Tensor, wanted: torch.Tensor, name: str, path: Path) -> torch.Tensor:
    device = tensor.device if wanted.is_meta else wanted.device
    made = tensor.to(device=device, dtype=wanted.dtype)
    narrowed = made.is_floating_point() and made.dtype.itemsize < tensor.dtype.itemsize
    if narrowed and not torch.isfinite(made).all():
        raise WeightsError(
            Problem(
                "weights-out-of-range",
                f"{path}: {name} has values that {_sort(made)} cannot hold",
                fix="use dtype: float32 or bfloat16",
            )
        )
    return made
