"""Calls of an exported network: its tensors by name, and in the order of its module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from ..network_export import ExportedNetwork, ExportedTensor

NEXT = "_next"
"""Ending of the name under which a tensor of the state comes out."""


def taken(network: ExportedNetwork) -> dict[str, ExportedTensor]:
    """Everything that goes in, in the order of the module's arguments: inputs, then the state."""
    state = {
        name: ExportedTensor(tuple(begin.shape), begin.dtype)
        for name, begin in network.state.items()
    }
    return {**network.inputs, **state}


def given(network: ExportedNetwork) -> dict[str, ExportedTensor]:
    """Everything that comes out, in the order of the module's results."""
    state = {
        f"{name}{NEXT}": ExportedTensor(tuple(begin.shape), begin.dtype)
        for name, begin in network.state.items()
    }
    return {**network.outputs, **state}


def arguments(
    network: ExportedNetwork, values: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """The module's arguments of inputs and state by name."""
    return tuple(values[name] for name in taken(network))


def by_name(network: ExportedNetwork, made: object) -> dict[str, torch.Tensor]:
    """The module's results by name; a single one may come alone.

    Raises:
        ValueError: if there are more or fewer than the network declares.
    """
    found: Sequence[torch.Tensor]
    found = made if isinstance(made, tuple | list) else [made]  # pyright: ignore[reportAssignmentType]
    return dict(zip(given(network), found, strict=True))


def traced_with(network: ExportedNetwork) -> tuple[torch.Tensor, ...]:
    """The arguments with which the module is traced."""
    return arguments(network, {**network.example(0), **network.state})
