"""Instrumentation: checks inputs, outputs and attributes of a node while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..node import Node


class CheckedNode:
    """Wraps a node and checks its inputs and outputs at every tick.

    Inputs must not be modified; outputs must be float32, finite, and of the shape that the plan
    declares for ``streams`` streams. Violations raise AssertionError.
    """

    def __init__(self, node: Node, streams: int) -> None:
        self.node = node
        self.streams = streams

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    def process(
        self, inputs: Mapping[str, torch.Tensor], params: Any, state: Any
    ) -> Mapping[str, torch.Tensor]:
        """Calls the node's ``process`` and checks the result."""
        before = {port: tensor.clone() for port, tensor in inputs.items()}
        made = self.node.process(inputs, params, state)
        for port, tensor in before.items():
            assert torch.equal(tensor, inputs[port]), f"input `{port}` was modified"
        missing = self.node.asked.keys() - made.keys()
        assert not missing, f"made no `{', '.join(missing)}`"
        for port, spec in self.node.asked.items():
            self._check(port, made[port], spec.shape(self.streams))
        return made

    def _check(self, port: str, found: torch.Tensor, shape: tuple[int, ...]) -> None:
        size = tuple(found.shape)
        assert size == shape, f"{port} has shape {size}, the plan declares {shape}"
        assert found.dtype is torch.float32, f"{port} is {found.dtype}, not float32"
        assert torch.isfinite(found).all(), f"{port} is not finite"


def fingerprint(values: Mapping[str, Any]) -> dict[str, str]:
    """A short text per value that changes when the value changes."""
    return {name: _digest(value) for name, value in values.items()}


def _digest(value: Any) -> str:
    if isinstance(value, torch.nn.Module):
        value = dict(value.state_dict())
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().float().numpy()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, dict):
        return str({k: _digest(v) for k, v in value.items()})
    return repr(value)
