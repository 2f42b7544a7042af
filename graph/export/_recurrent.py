"""Recurrent layers that stay one operator in an exported program.

``torch.export`` computes the sizes of a GRU by running it step by step, as often as the traced
length has steps, and holds that length fixed. While :func:`gru_as_one_operator` is in force their
sizes are computed from those of the input, so that the layer takes any number of steps, and becomes
the operator ``GRU`` of ONNX.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch._decomp import global_decomposition_table

_GRU = torch.ops.aten.gru.input
_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


@torch.library.custom_op("voicegraph::gru", mutates_args=())
def _gru(
    input: torch.Tensor,  # noqa: A002  as in aten
    hx: torch.Tensor,
    params: list[torch.Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    flags = (has_biases, num_layers, dropout, train, bidirectional, batch_first)
    return torch.gru(input, hx, params, *flags)


@_gru.register_fake
def _sizes(
    input: torch.Tensor,  # noqa: A002  as in aten
    hx: torch.Tensor,
    params: list[torch.Tensor],  # noqa: ARG001  as in aten
    *flags: bool | float,
) -> tuple[torch.Tensor, torch.Tensor]:
    _, _, _, _, bidirectional, _ = flags
    width = hx.shape[2] * (2 if bidirectional else 1)
    return input.new_empty(*input.shape[:2], width), hx.new_empty(hx.shape)


@contextmanager
def gru_as_one_operator() -> Iterator[None]:
    """Until the end of the block, tracing does not look into a GRU."""
    whole = torch.ops.voicegraph.gru.default
    tables = cast(
        "tuple[tuple[dict[Any, Any], Any], ...]",
        (
            (global_decomposition_table["post_autograd"], _GRU),
            (_GRU.py_kernels, _COMPOSITE),
        ),
    )
    before = [held.get(key) for held, key in tables]
    for held, key in tables:
        held[key] = whole
    _GRU._dispatch_cache.clear()
    try:
        yield
    finally:
        for (held, key), value in zip(tables, before, strict=True):
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
        _GRU._dispatch_cache.clear()
