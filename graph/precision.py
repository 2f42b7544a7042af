"""The precision in which a node computes: what ``dtype: auto`` has become on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

AUTO = "auto"
"""The precision that a node chooses when it is loaded."""
FLOAT32 = "float32"
FLOAT16 = "float16"
INT8 = "int8"
"""8-bit products between values in float32; on the CPU alone."""
_NAMES = (FLOAT32, FLOAT16, "bfloat16", INT8)


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """The precision that a node takes with ``dtype: auto``.

    Attributes:
        dtype: its name, such as ``bfloat16``.
        milliseconds: what the trial measured, by precision; empty if there was no trial.
    """

    dtype: str = FLOAT32
    milliseconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def torch_dtype(name: str) -> torch.dtype:
    """The torch dtype of a precision that a pipeline file names, except of ``auto``."""
    import torch  # the command line names precisions, and prints its help without torch

    if name not in _NAMES:
        raise KeyError(name)
    return getattr(torch, name)


def precision_remark(dtype: str, device: str) -> str | None:
    """What to say about a precision that gains nothing where it is used; None if nothing."""
    if dtype == FLOAT16 and device == "cpu":
        return "float16 is slow on a CPU, which computes it in float32: use dtype: auto"
    return None
