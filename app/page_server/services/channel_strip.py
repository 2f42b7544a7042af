"""The channel strip that the app adds to a pipeline: gains, gate and noise suppression.

Shipped pipelines convert a voice and no more. The nodes come by overrides, so that a preset that
the app saves is a pipeline file like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.schemas.pipeline import NodeSpec, PipelineFile

INPUT_GAIN, DENOISE, GATE = "input_gain", "denoise", "gate"
OUTPUT_GAIN, OUTPUT_LIMITER = "output_gain", "output_limiter"
OPTIONAL = (DENOISE, GATE)
"""Nodes that are off until somebody switches them on."""
_LIMITER = "dsp.limiter"


def channel_strip_overrides(file: PipelineFile) -> dict[str, Any]:
    """Overrides that add the nodes to a pipeline; empty if it has them.

    Before everything that reads the input: gain, noise suppression, gate. Before the limiter at the
    end: gain; a pipeline without a limiter gets one, since a gain may drive its output into
    clipping.
    """
    if {INPUT_GAIN, OUTPUT_GAIN} & set(file.nodes):
        return {}
    found: dict[str, Any] = {
        f"nodes.{INPUT_GAIN}": {"use": "dsp.gain", "in": "input"},
        f"nodes.{DENOISE}": {
            "use": "dsp.denoise",
            "in": INPUT_GAIN,
            "enabled": False,
            "params": {"frame": "20ms"},  # the latency of 40 ms would be too much for talking
        },
        f"nodes.{GATE}": {
            "use": "dsp.gate",
            "in": DENOISE,
            "enabled": False,
            "params": {"threshold": -50},
        },
    }
    for name, spec in file.nodes.items():
        found.update(_rewired(name, spec, "input", GATE))
    last = file.nodes.get(file.output)
    if last is not None and last.use == _LIMITER and isinstance(last.inputs, str):
        found[f"nodes.{OUTPUT_GAIN}"] = {"use": "dsp.gain", "in": last.inputs}
        found[f"nodes.{file.output}.in"] = OUTPUT_GAIN
    else:
        found[f"nodes.{OUTPUT_GAIN}"] = {"use": "dsp.gain", "in": file.output}
        found[f"nodes.{OUTPUT_LIMITER}"] = {
            "use": _LIMITER,
            "in": OUTPUT_GAIN,
            "params": {"lookahead": "0ms"},
        }
        found["output"] = OUTPUT_LIMITER
    return found


def _rewired(name: str, spec: NodeSpec, source: str, target: str) -> dict[str, str]:
    """Overrides by which a node reads ``target`` instead of ``source``."""
    match spec.inputs:
        case str() if spec.inputs == source:
            return {f"nodes.{name}.in": target}
        case Mapping():
            return {
                f"nodes.{name}.in.{port}": target
                for port, ref in spec.inputs.items()
                if ref == source
            }
    return {}
