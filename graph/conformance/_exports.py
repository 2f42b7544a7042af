"""The check of what a node exports: as it declares it, and as another runtime would run it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import ExportError, PipelineError
from ..export import export_network, load_network
from ..network_export import ExportedNetwork, ExportedTensor
from ..node import Node
from ..pipeline import Plan
from ._harness import NODE, Case, plan, run, signal

_EXAMPLES = (0, 1, 2, 3)
_SECONDS = 0.6
Tensors = Mapping[str, torch.Tensor]


def has_exports(case: Case) -> bool:
    """Whether a node says what it exports."""
    return case.cls.exports is not Node.exports


def exports(case: Case) -> None:
    """What a node exports is what it computes, at four lengths, in PyTorch and as a file."""
    if not has_exports(case):
        return
    made = plan(case)
    try:
        network = load_network(made, NODE)
    except PipelineError as error:
        if [problem.code for problem in error.problems] == ["nothing-to-export"]:
            return  # exports() is None with these params
        raise
    state: Tensors = network.state
    for number in _EXAMPLES:
        state = _call(case, network, number, state)
    ports = {name: spec.shape(1) for name, spec in made.find(NODE).given.items()}
    if ports == {name: tensor.axes for name, tensor in network.inputs.items()}:
        _as_stream(case, network)
    _written(case, made)


def _call(case: Case, network: ExportedNetwork, number: int, state: Tensors) -> Tensors:
    """One call of the module: axes, dtypes, inputs that stay as they are. The state after it."""
    values = network.example(number)
    where = f"{case} exports: example({number})"
    assert values.keys() == network.inputs.keys(), (
        f"{where} has {', '.join(values)}; its inputs are {', '.join(network.inputs)}"
    )
    sizes: dict[str, int] = {}
    for name, tensor in network.inputs.items():
        _as_declared(f"{where}: {name}", tensor, values[name], sizes)
    given = {**{name: values[name] for name in network.inputs}, **state}
    before = {name: tensor.clone() for name, tensor in given.items()}
    made = _results(where, network, given)
    changed = [name for name, old in before.items() if not torch.equal(old, given[name])]
    assert not changed, f"{where}: its module changes its inputs {', '.join(changed)}"
    for name, tensor in network.outputs.items():
        _as_declared(f"{where}: output {name}", tensor, made[name], sizes)
    after = {name: made[name] for name in state}
    for name, old in state.items():
        fixed = ExportedTensor(tuple(old.shape), old.dtype)
        _as_declared(f"{where}: next state {name}", fixed, after[name], sizes)
    return after


def _results(where: str, network: ExportedNetwork, given: Tensors) -> Tensors:
    """Outputs and next state of the module by name."""
    names = [*network.outputs, *network.state]
    try:
        with torch.no_grad():
            found = network.module(*given.values())
    except Exception as error:
        given_names = ", ".join(given)
        text = f"{where}: its module, given {given_names}: {type(error).__name__}: {error}"
        raise AssertionError(text) from error
    results = found if isinstance(found, tuple | list) else (found,)
    assert len(results) == len(names), (
        f"{where}: its module gives {len(results)} tensors; outputs and state are {len(names)}"
    )
    return dict(zip(names, results, strict=True))


def _as_stream(case: Case, network: ExportedNetwork) -> None:
    """A network whose inputs are blocks of the node's ports, against the node in a session."""
    made = plan(case)
    with made.session(1, warm_up=False) as session:
        step = session.engine.by_name[NODE]
        heard = _Recorder(step.node)
        step.node = heard  # pyright: ignore[reportAttributeAccessIssue]
        run(session, signal(made, _SECONDS)[None])
    state: Tensors = network.state
    for number, (inputs, outputs) in enumerate(heard.calls):
        given = {**{name: inputs[name] for name in network.inputs}, **state}
        values = _results(f"{case} exports: block {number}", network, given)
        state = {name: values[name] for name in state}
        for name, tensor in network.outputs.items():
            if name not in outputs:
                continue
            same = values[name].shape == outputs[name].shape
            apart = float((values[name] - outputs[name]).abs().max()) if same else float("inf")
            assert apart <= tensor.tolerance, (
                f"{case} exports: {name} of block {number} is {apart:.2g} from what the node "
                f"computes in a session; allowed is {tensor.tolerance:g}"
            )


class _Recorder:
    """Wraps a node, and keeps copies of what goes in and comes out."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.calls: list[tuple[Tensors, Tensors]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        """As the node's own."""
        given = {name: tensor.clone() for name, tensor in inputs.items()}
        made = self.node.process(inputs, params, state)
        self.calls.append((given, {name: tensor.clone() for name, tensor in made.items()}))
        return made


def _as_declared(
    what: str, tensor: ExportedTensor, found: torch.Tensor, sizes: dict[str, int]
) -> None:
    """Axes and dtype of a tensor; ``sizes`` collects those with a name."""
    shape = tuple(found.shape)
    same = len(shape) == len(tensor.axes) and all(
        size == (axis if isinstance(axis, int) else sizes.setdefault(axis, size))
        for axis, size in zip(tensor.axes, shape, strict=False)
    )
    wanted = [sizes.get(axis, axis) if isinstance(axis, str) else axis for axis in tensor.axes]
    assert same, f"{what} has sizes {list(shape)}, declared are {wanted}"
    assert found.dtype == tensor.dtype, f"{what} is {found.dtype}, declared is {tensor.dtype}"


def _written(case: Case, made: Plan) -> None:
    """The network as a file, compared with the node as ``voicegraph export`` does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            export_network(made, NODE, Path(folder) / "network.ts", form="torchscript")
        except (ExportError, ValueError) as error:
            raise AssertionError(f"{case} exports: {error}") from None
