"""Puts tensors into a module, every misfit told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from ...errors import Problem, WeightsError
from .file_errors import printable

_MOST_SHOWN = 8
Shape = tuple[int, ...]


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
    lines = misfits(
        {name: tuple(tensor.shape) for name, tensor in wanted.items()},
        {name: tuple(tensor.shape) for name, tensor in tensors.items()},
    )
    lines += [
        f"{name}: expected {_sort(wanted[name])}, found {_sort(tensors[name])}"
        for name in wanted
        if name in tensors
        and wanted[name].shape == tensors[name].shape
        and wanted[name].is_floating_point() != tensors[name].is_floating_point()
    ]
    if lines:
        raise WeightsError(
            Problem(
                "weights-do-not-fit",
                f"{path}: its tensors are not those of {what}",
                notes=as_notes(lines),
                fix=f"voicegraph inspect {path}",
            )
        )
    fitted = {name: _cast(tensors[name], wanted[name], name, path) for name in wanted}
    module.load_state_dict(fitted, assign=True)


def misfits(wanted: Mapping[str, Shape], found: Mapping[str, Shape]) -> list[str]:
    """What is missing, too much, or of another shape: a line each."""
    lines = [
        f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in found
    ]
    lines += [
        f"not known: {name} {list(shape)}" for name, shape in found.items() if name not in wanted
    ]
    lines += [
        f"{name}: expected {list(shape)}, found {list(found[name])}"
        for name, shape in wanted.items()
        if name in found and found[name] != shape
    ]
    return lines


def as_notes(lines: Sequence[str]) -> tuple[tuple[str, None], ...]:
    """The first of them as notes of a problem, and how many more there are."""
    shown = [printable(text)[:200] for text in lines[:_MOST_SHOWN]]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"and {len(lines) - _MOST_SHOWN} more")
    return tuple((text, None) for text in shown)


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
