"""The values in a bundle by which other programs are checked: of each part, and of the plan."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ..files.sound.bundled_recording import speech
from ..network_export import ExportedNetwork
from ..pipeline import Plan
from ..runtime.session import Session
from ._calls import NEXT, arguments, by_name

_SECONDS = 4
"""Of the recording: more than the usual contexts, so that histories are filled with sound."""

Arrays = dict[str, np.ndarray]
Places = dict[tuple[str, str], np.ndarray]
"""By node, and kind and name of the value."""


def network_values(network: ExportedNetwork) -> Arrays:
    """One call: inputs, state, what the node computes, and the state after it."""
    values = network.example(1)
    with torch.no_grad():
        called = arguments(network, {**values, **network.state})
        made = by_name(network, network.module(*called))
    made.update(network.reference(values))
    found = {f"in.{name}": value for name, value in values.items()}
    found |= {f"state.{name}": value for name, value in network.state.items()}
    found |= {f"out.{name}": made[name] for name in network.outputs}
    found |= {f"next.{name}": made[f"{name}{NEXT}"] for name in network.state}
    return {key: value.detach().numpy() for key, value in found.items()}


def plan_values(plan: Plan) -> tuple[Arrays, dict[str, Arrays]]:
    """The first blocks of a recording, and for every node the newest of these.

    Returns:
        ``input`` and ``output`` of the plan, and by node ``in.PORT``, ``out.PORT``, ``state.NAME``
        and ``next.NAME``.
    """
    samples, size = speech(plan.source), plan.samples_in
    count = max(1, min(int(_SECONDS * plan.source.rate), samples.shape[1]) // size)
    samples = samples[:, : count * size]
    samples = np.pad(samples, ((0, 0), (0, count * size - samples.shape[1])))
    blocks = np.split(samples, count, 1)
    with plan.session(warm_up=False) as session:
        made = [session.process(block) for block in blocks[:-1]]
        before = _states(session, "state") | _inputs(session, feedback=True)
        made.append(session.process(blocks[-1]))
        found = _inputs(session, feedback=False) | _outputs(session) | _states(session, "next")
    nodes: dict[str, Arrays] = {planned.name: {} for planned in plan.nodes}
    for (node, key), values in {**found, **before}.items():
        nodes[node][key] = values
    output = np.concatenate(made, plan.output_type.time_axis - 1)
    return {"input": samples, "output": output}, nodes


def _states(session: Session, kind: str) -> Places:
    return {
        (step.name, f"{kind}.{name}"): _copy(tensor)
        for step in session.engine.steps
        if step.state is not None
        for name, tensor in step.state.tensors().items()
    }


def _inputs(session: Session, feedback: bool) -> Places:
    """What inputs hold. One that closes a loop holds what it will read at the next tick."""
    engine = session.engine
    return {
        (step.name, f"in.{port}"): _copy(engine.values[slot])
        for planned, step in zip(engine.plan.nodes, engine.steps, strict=True)
        for port, slot in step.gather
        if planned.inputs[port].feedback == feedback
    }


def _outputs(session: Session) -> Places:
    return {
        (step.name, f"out.{port}"): _copy(tensor)
        for step in session.engine.steps
        for port, tensor in step.outputs.items()
    }


def _copy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.numpy(force=True).copy()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an ``.npz`` file. The same arrays give the same bytes, unlike NumPy's own writer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, np.asarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, held.getvalue())
