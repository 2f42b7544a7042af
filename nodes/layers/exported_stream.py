"""What the exports of nodes with state have in common: example values, and the node as a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from voicegraph.graph import ExportedTensor, PortSpec, State, Tensors, random

StateT = TypeVar("StateT", bound=State)


def stream_reference(
    step: Callable[[Tensors, StateT], Tensors], state: StateT
) -> Callable[[Tensors], Tensors]:
    """A node as the reference of its export: every call is the next block of one stream.

    Args:
        step: one block; changes the state in place.
        state: at the beginning of the stream.
    """

    def next_block(inputs: Tensors) -> Tensors:
        with torch.inference_mode():
            return {name: made.clone() for name, made in step(inputs, state).items()}

    return next_block


def copied(kind: type[StateT], tensors: Tensors) -> StateT:
    """A state of copies: an exported network must not change its inputs."""
    return kind(**{name: tensor.clone() for name, tensor in tensors.items()})


def fixed(spec: PortSpec, description: str = "") -> ExportedTensor:
    """A port of one stream as an exported tensor, of the size that it has in the plan."""
    return ExportedTensor(spec.type.shape(1, spec.count), description=description)


def drawn(name: str, case: int, *shape: int) -> torch.Tensor:
    """Standard normal example values; another case has others."""
    count = torch.Size(shape).numel()
    return torch.from_numpy(random.normal(case, name, 0, 0, count)).view(shape)


def sung(spec: PortSpec, case: int) -> torch.Tensor:
    """Example pitch in Hz ``[1, frames]``: a glide with a pause in it."""
    places = torch.linspace(0, 1, spec.count)
    hertz = (120 + 40 * case) * 2 ** (0.5 * places)
    pause = (places > 0.3 * (case % 3)) & (places < 0.2 + 0.3 * (case % 3))
    return torch.where(pause, 0.0, hertz)[None]


def spoken(name: str, case: int, spec: PortSpec) -> torch.Tensor:
    """Example audio of the size of a port: noise of changing level."""
    shape = spec.type.shape(1, spec.count)
    return 0.1 * (1 + case) * drawn(name, case, *shape) / 4
