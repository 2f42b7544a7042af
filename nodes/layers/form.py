"""The form in which a node holds the weights of its network: their layout and precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

Layout = Literal["plain", "packed", "portable"]
Packers = Mapping[type[nn.Module], Callable[[Any], nn.Module]]
"""Class of a plain layer -> function or class that makes the packed layer from it."""


@dataclass(frozen=True, slots=True)
class Form:
    """Layout and precision of a network's weights; part of the key under which they are shared.

    Attributes:
        layout: ``plain`` is an ordinary module in one dtype, on any device. ``packed`` holds the
            layers that have a packed counterpart in the layout that a device's kernels read.
            ``portable`` computes with operators that runtimes other than PyTorch have, too: no
            complex numbers, no views with strides of their own. It is what is exported.
        precision: of the weights, such as ``float32``, ``bfloat16`` or ``int8``.
    """

    layout: Layout
    precision: str

    @property
    def dtype(self) -> torch.dtype:
        """Of everything that stays plain: the precision, but float32 around packed layers."""
        return torch.float32 if self.layout == "packed" else getattr(torch, self.precision)

    @property
    def products(self) -> torch.dtype:
        """Of what its packed layers give: float32 in int8, too."""
        bfloat16 = self.precision == "bfloat16"
        return torch.bfloat16 if bfloat16 and self.layout == "packed" else self.dtype

    def __str__(self) -> str:
        return self.precision if self.layout == "plain" else f"{self.layout} {self.precision}"


PLAIN_FLOAT32 = Form("plain", "float32")
PACKED_FLOAT32 = Form("packed", "float32")
"""Weights in oneDNN's layouts, on x86: the numbers of the plain form, up to rounding."""
PACKED_BFLOAT16 = Form("packed", "bfloat16")
"""Products and what lies between them in bfloat16, residuals and norms in float32."""
PACKED_INT8 = Form("packed", "int8")
"""Products of 8-bit integers, everything else in float32."""
PORTABLE_FLOAT32 = Form("portable", "float32")
"""The numbers of the plain form, up to rounding, in an exported network."""
PORTABLE_FLOAT16 = Form("portable", "float16")
"""An exported network with weights in half precision."""


def plain(dtype: torch.dtype) -> Form:
    """The plain form in a dtype."""
    return Form("plain", _name(dtype))


def packed(dtype: torch.dtype) -> Form:
    """The packed form in a dtype."""
    return Form("packed", _name(dtype))


def portable(dtype: torch.dtype) -> Form:
    """The portable form in a dtype."""
    return Form("portable", _name(dtype))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
