"""Small pipelines around one node, with deterministic sources of the kinds that its ports take."""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import random, registry
from ..errors import PipelineError
from ..node import Node
from ..pipeline import Pipeline, Plan
from ..ports import In
from ..runtime.session import Session
from ..signals import Audio, Features, Mask, Pitch

DEFAULT_RATE = 16000
NODE = "tested"


@dataclass(frozen=True, slots=True)
class Case:
    """A node to test, with its params."""

    use: str
    params: Mapping[str, Any]

    @property
    def cls(self) -> type[Node]:
        """The node class."""
        return registry.find(self.use)

    @property
    def resolved_params(self) -> dict[str, Any]:
        """The params, with absolute names of example files, which are written on first use."""
        files = self.cls.Params.file_fields() & self.params.keys()
        chosen = {name: self.params[name] for name in files if self.params[name] is not None}
        if not chosen:
            return dict(self.params)
        folder = _example_files(self.cls)
        return {**self.params, **{name: str(folder / file) for name, file in chosen.items()}}

    def __str__(self) -> str:
        return f"{self.use}({', '.join(f'{k}={v}' for k, v in self.params.items())})"


@functools.cache
def _example_files(cls: type[Node]) -> Path:
    """A folder with the files of a node's examples, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="voicegraph-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    cls.write_examples(Path(folder.name))
    return Path(folder.name)


def plan(case: Case, block: str = "40ms", device: str = "cpu") -> Plan:
    """Compiles the node with sources, and with ``dsp.sola`` if its output is a window of audio.

    Raises:
        PipelineError: if the node does not support this block size.
    """
    probe = case.cls()
    ports = probe.ports(case.cls.Params.model_validate(case.resolved_params))
    nodes: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    audio = next((p for p in ports.inputs.values() if p.kind is Audio), None)
    rate = int(audio.rate) if audio and audio.rate else DEFAULT_RATE
    channels = audio.channels or 1 if audio else 1
    for name, port in ports.inputs.items():
        if port is audio:
            inputs[name] = "input"
        else:
            # Random streams depend on the node's name: two inputs get different noise.
            nodes[f"source_{name}"] = _source(port, rate, channels)
            inputs[name] = f"source_{name}" + (".voiced" if port.kind is Mask else "")
    nodes[NODE] = {"use": case.use, "params": case.resolved_params, "device": device}
    if inputs:
        nodes[NODE]["in"] = inputs
    first = next(iter(ports.outputs.values()))
    output = NODE
    if first.window and first.kind is Audio:
        nodes["join"] = {"use": "dsp.sola", "in": NODE}
        output = "join"
    pipeline = Pipeline(
        name="conformance",
        block=block,
        input={"rate": rate, "channels": channels},
        nodes=nodes,
        output=output,
    )
    return pipeline.compile()


def _source(port: In, rate: int, channels: int) -> dict[str, Any]:
    """A source node of the type that a port takes."""
    frames = str(port.rate or 100)
    if port.kind is Audio:
        return {"use": "io.noise", "params": {"rate": int(port.rate or rate), "channels": channels}}
    if port.kind is Features:
        return {"use": "io.vectors", "params": {"rate": frames, "dim": port.dim or 8}}
    if port.kind in (Pitch, Mask):
        return {"use": "io.contour", "params": {"rate": frames}}
    raise TypeError(f"no test source makes {port.kind.kind}")


def signal(plan: Plan, seconds: float, stream: int = 0) -> np.ndarray:
    """Speech-like test audio ``[channels, samples]``: a gliding pitch, pauses, faint noise."""
    rate = float(plan.source.rate)
    n = round(seconds * rate)
    time = np.arange(n) / rate
    pitch = 120 * (1 + stream * 0.3) * (1 + 0.15 * np.sin(2 * np.pi * 1.3 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * time + stream) * 3, 0, 1)
    rows = [
        0.2 * voice * syllables + 0.003 * random.normal(1, "conformance", 100 * stream + c, 0, n)
        for c in range(plan.source.channels)
    ]
    return np.stack(rows).astype(np.float32)


def run(session: Session, audio: np.ndarray) -> np.ndarray:
    """Processes the whole blocks of ``audio`` ``[streams, channels, samples]``; joined output."""
    size = session.plan.samples_in
    blocks = [
        session.process(audio[:, :, start : start + size])
        for start in range(0, audio.shape[2] - size + 1, size)
    ]
    return np.concatenate(blocks, axis=session.plan.output_type.time_axis)


def try_plan(case: Case, block: str) -> Plan | None:
    """The plan; None if the node's rates do not fit the block size."""
    try:
        return plan(case, block)
    except PipelineError as error:
        if all(p.code in ("rate-against-block", "cannot-schedule") for p in error.problems):
            return None
        raise
