"""The channel strip that the app adds to a pipeline: gains, gate, denoiser, tone, autotune.

Shipped pipelines convert a voice and no more. The nodes come by overrides, so that a preset that
the app saves is a pipeline file like any other. They change nothing until somebody moves a
control: equaliser and gains at 0 dB pass the sound on as it is, the others are off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.schemas.pipeline import NodeSpec, PipelineFile

INPUT_GAIN, DENOISE, GATE = "input_gain", "denoise", "gate"
EQ, COMPRESSOR = "eq", "compressor"
OUTPUT_GAIN, OUTPUT_LIMITER = "output_gain", "output_limiter"
AUTOTUNE = "tune"
"""As in the shipped pipelines that have one."""
OPTIONAL = (DENOISE, GATE)
"""Nodes that are off until somebody switches them on, and may need latency then."""
_LIMITER = "dsp.limiter"
_AUTOTUNE = "pitch.autotune"
_VOICED = ("pitch.register", "pitch.cache")
"""Nodes that tell beside the pitch where it is voiced."""
_TAKE_STREAMS = ("synth.source_filter",)
"""Synthesizers that take their pitch as a stream; the others take windows."""


def channel_strip_overrides(file: PipelineFile) -> dict[str, Any]:
    """Overrides that add the nodes to a pipeline; empty if it has them.

    Before everything that reads the input: gain, noise suppression, gate. Before the synthesizer:
    autotune. Before the limiter at the end: equaliser, compressor, gain; a pipeline without a
    limiter gets one, since a gain may drive its output into clipping.
    """
    found: dict[str, Any] = {}
    if INPUT_GAIN not in file.nodes:
        found |= _input_nodes(file)
    if not any(spec.use == _AUTOTUNE for spec in file.nodes.values()):
        found |= _autotune(file)
    if OUTPUT_GAIN not in file.nodes:
        found |= _output_nodes(file)
    elif EQ not in file.nodes:  # of a preset that was saved before there was an equaliser
        source = file.nodes[OUTPUT_GAIN].inputs
        found |= {**_tone(source), f"nodes.{OUTPUT_GAIN}.in": COMPRESSOR}
    return found


def _input_nodes(file: PipelineFile) -> dict[str, Any]:
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
    return found


def _output_nodes(file: PipelineFile) -> dict[str, Any]:
    last = file.nodes.get(file.output)
    gain = {"use": "dsp.gain", "in": COMPRESSOR}
    if last is not None and last.use == _LIMITER and isinstance(last.inputs, str):
        return {
            **_tone(last.inputs),
            f"nodes.{OUTPUT_GAIN}": gain,
            f"nodes.{file.output}.in": OUTPUT_GAIN,
        }
    limiter = {"use": _LIMITER, "in": OUTPUT_GAIN, "params": {"lookahead": "0ms"}}
    return {
        **_tone(file.output),
        f"nodes.{OUTPUT_GAIN}": gain,
        f"nodes.{OUTPUT_LIMITER}": limiter,
        "output": OUTPUT_LIMITER,
    }


def _tone(source: Any) -> dict[str, Any]:
    """Equaliser and compressor behind what ``source`` refers to."""
    return {
        f"nodes.{EQ}": {"use": "dsp.eq", "in": source},
        f"nodes.{COMPRESSOR}": {
            "use": "dsp.compressor",
            "in": EQ,
            "enabled": False,
            "params": {"threshold": -28, "ratio": 3, "makeup": 4},
        },
    }


def _autotune(file: PipelineFile) -> dict[str, Any]:
    """Autotune in front of the synthesizers that take a pitch; nothing if there is none."""
    for spec in file.nodes.values():
        source = spec.inputs.get("pitch") if isinstance(spec.inputs, Mapping) else None
        if not spec.use.startswith("synth.") or not isinstance(source, str):
            continue
        ports = {"pitch": source}
        if source in file.nodes and file.nodes[source].use in _VOICED:
            ports["voiced"] = f"{source}.voiced"
        found: dict[str, Any] = {
            f"nodes.{AUTOTUNE}": {
                "use": _AUTOTUNE,
                "in": ports,
                "enabled": False,
                "params": {"stream": spec.use in _TAKE_STREAMS},
            }
        }
        for name, reader in file.nodes.items():
            if reader.use.startswith("synth."):
                found.update(_rewired(name, reader, source, AUTOTUNE))
        return found
    return {}


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
