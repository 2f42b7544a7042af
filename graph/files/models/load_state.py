"""Loads tensors into a module, and reports all mismatches at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from ...errors import Problem, WeightsError
from ...terminal_text import printable
from ._tensor_headers import TensorHeader

_MOST_SHOWN = 8
Shape = tuple[int, ...]


def load_state(
    module: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path, what: str
) -> None:
    """Makes ``tensors`` the parameters and buffers of a module; copies only where it must.

    Floating-point values are cast to the module's dtype. They are moved to its device, unless that
    is ``meta``: a module built without memory gets its memory here.

    Args:
        module: built, on any device.
        tensors: by the names of ``module.state_dict()``.
        path: their file, for messages.
        what: what the file should be, with its article: ``a HuBERT encoder``.

    Raises:
        WeightsError: with all tensors that are missing, unexpected, or of another shape or dtype.
    """
    wanted = module.state_dict()
    lines = shape_mismatches(
        {name: tuple(tensor.shape) for name, tensor in wanted.items()},
        {name: tuple(tensor.shape) for name, tensor in tensors.items()},
    )
    lines += [
        f"{name}: expected {_dtype(wanted[name])}, found {_dtype(tensors[name])}"
        for name in wanted
        if name in tensors
        and wanted[name].shape == tensors[name].shape
        and wanted[name].is_floating_point() != tensors[name].is_floating_point()
    ]
    if lines:
        text = f"its tensors are not those of {what}"
        raise state_error(path, text, lines, f"voicegraph inspect {path}")
    fitted = {name: _cast(tensors[name], wanted[name], name, path) for name in wanted}
    module.load_state_dict(fitted, assign=True)


def shape_mismatches(wanted: Mapping[str, Shape], found: Mapping[str, Shape]) -> list[str]:
    """What is missing, unexpected or of another shape: a line each."""
    lines = [
        f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in found
    ]
    lines += [
        f"unexpected: {name} {list(shape)}" for name, shape in found.items() if name not in wanted
    ]
    lines += [
        f"{name}: expected {list(shape)}, found {list(found[name])}"
        for name, shape in wanted.items()
        if name in found and found[name] != shape
    ]
    return lines


def dtype_mismatches(headers: Mapping[str, TensorHeader]) -> list[str]:
    """Every tensor that does not hold floating-point values: a line each."""
    return [
        f"{name}: expected floating point, found {_dtype(header)}"
        for name, header in headers.items()
        if not header.dtype.is_floating_point
    ]


def state_error(path: Path, why: str, lines: Sequence[str], fix: str) -> WeightsError:
    """The error for tensors that are not those of the network.

    Args:
        path: of their file.
        why: continues the sentence ``FILE:``.
        lines: the mismatches; the first ones are shown, the others counted.
        fix: what to do.
    """
    shown = [printable(text)[:200] for text in lines[:_MOST_SHOWN]]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"and {len(lines) - _MOST_SHOWN} more")
    notes = tuple((text, None) for text in shown)
    return WeightsError(Problem("weights-do-not-fit", f"{path}: {why}", notes=notes, fix=fix))


def _dtype(tensor: torch.Tensor | TensorHeader) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _cast(tensor: torch.Tensor, wanted: torch.Tensor, name: str, path: Path) -> torch.Tensor:
    device = tensor.device if wanted.is_meta else wanted.device
    made = tensor.to(device=device, dtype=wanted.dtype)
    narrowed = made.is_floating_point() and made.dtype.itemsize < tensor.dtype.itemsize
    if narrowed and not torch.isfinite(made).all():
        raise WeightsError(
            Problem(
                "weights-out-of-range",
                f"{path}: {name} has values that {_dtype(made)} cannot hold",
                fix="use dtype: float32 or bfloat16",
            )
        )
    return made
