"""Exported networks against their nodes, as streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from voicegraph.graph import ExportedNetwork
from voicegraph.graph.plan import CompiledPlan

Values = Mapping[str, torch.Tensor]


def exported(plan: CompiledPlan, name: str) -> ExportedNetwork:
    """What a node of a plan exports, in float32 on the CPU."""
    found = plan.find(name)
    found.node.prepare(found.params)
    found.node.load(found.params, torch.device("cpu"), torch.float32)
    made = found.node.exports(found.params)
    assert made is not None
    return made


def blocks(network: ExportedNetwork, count: int) -> Iterator[tuple[Values, Values]]:
    """Outputs of the module, and of the node, block by block; the module carries its own state."""
    state = dict(network.state)
    with torch.no_grad():
        for number in range(count):
            given = network.example(number)
            assert list(given) == list(network.inputs)
            for key, tensor in network.inputs.items():
                assert (tuple(given[key].shape), given[key].dtype) == (tensor.axes, tensor.dtype)
            before = {key: value.clone() for key, value in state.items()}
            found = network.module(*given.values(), *state.values())
            assert all(torch.equal(before[key], state[key]) for key in state)  # inputs stay
            made = dict(zip(network.outputs, found, strict=False))
            after = found[len(made) :]
            for (key, old), new in zip(state.items(), after, strict=True):
                assert (new.shape, new.dtype) == (old.shape, old.dtype), key
                state[key] = new
            yield made, network.reference(given)


def differences(network: ExportedNetwork, count: int) -> np.ndarray:
    """The largest difference of each block to the node, over all outputs; and that they differ."""
    found = []
    loudest = 0.0
    for made, expected in blocks(network, count):
        assert list(made) == list(expected)
        found.append(max(float((made[k] - expected[k]).abs().max()) for k in made))
        loudest = max(loudest, *(float(e.abs().max()) for e in expected.values()))
    assert loudest > 0.01
    return np.array(found)
