"""The main controls of the page, with ranges that make sense for speaking."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voicegraph.app.reports.node_catalogue import describe_node
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.plan import CompiledPlan
from voicegraph.schemas.app import Control

from .channel_strip import DENOISE, GATE, INPUT_GAIN, OPTIONAL, OUTPUT_GAIN


@dataclass(frozen=True, slots=True)
class _Range:
    """A control without its place in a pipeline.

    Attributes:
        node: the only node that it belongs to; None: the first of the family with the param.
        family: of the node's class.
        param: the live param.
    """

    id: Any
    label: str
    text: str
    family: str
    param: str
    minimum: float
    maximum: float
    step: float
    unit: str
    node: str | None = None
    scale: float = 1.0


_RANGES = (
    _Range(
        "pitch", "Pitch", "Moves the voice up or down.", "pitch", "transpose", -24, 24, 1,
        "semitones",
    ),
    _Range(
        "formant", "Formant", "Makes the speaker sound smaller (up) or larger (down).", "synth",
        "formant", -8, 8, 0.5, "semitones",
    ),
    _Range(
        "retrieval", "Likeness",
        "How much of each sound comes from the voice's own recordings.",
        "retrieval", "rate", 0, 1, 0.05, "%", scale=100,
    ),
    _Range(
        "breath", "Breath", "How much breath is in the voice.", "synth", "breath", -12, 12, 1, "dB",
    ),
    _Range(
        "gate", "Gate", "Silence below this level, so that the room is not heard in pauses.", "dsp",
        "threshold", -80, -20, 1, "dB", node=GATE,
    ),
    _Range(
        "denoise", "Noise suppression", "Takes steady noise such as fans out of the microphone.",
        "dsp", "reduction", 3, 40, 1, "dB", node=DENOISE,
    ),
    _Range(
        "input_gain", "Microphone", "Level of the microphone.", "dsp", "db", -24, 24, 0.5, "dB",
        node=INPUT_GAIN,
    ),
    _Range(
        "output_gain", "Output", "Level of the converted voice.", "dsp", "db", -24, 12, 0.5, "dB",
        node=OUTPUT_GAIN,
    ),
)  # fmt: skip


def main_controls(plan: CompiledPlan) -> list[Control]:
    """The controls that a plan has, those of nodes that are switched off included."""
    values = dict(_live_values(plan))
    return [
        control
        for entry in _RANGES
        if (control := _control(entry, values, plan.bypassed)) is not None
    ]


def _control(
    entry: _Range, values: Mapping[tuple[str, str, str], Any], bypassed: Collection[str]
) -> Control | None:
    for (node, use, param), value in values.items():
        if param != entry.param or use.partition(".")[0] != entry.family:
            continue
        if entry.node not in (None, node) or not isinstance(value, (int, float)):
            continue
        return Control(
            id=entry.id,
            label=entry.label,
            text=entry.text,
            param=f"{node}.{param}",
            node=node if node in OPTIONAL else None,
            on=node not in bypassed,
            minimum=min(entry.minimum, value),
            maximum=max(entry.maximum, value),
            step=entry.step,
            default=float(value),
            unit=entry.unit,
            scale=entry.scale,
        )
    return None


def _live_values(plan: CompiledPlan) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """``(node, use, param)`` -> value of all live params, those of bypassed nodes included."""
    for planned in plan.nodes:
        values = planned.params.model_dump()
        for param in _live_params(planned.use):
            yield (planned.name, planned.use, param), values.get(param)
    origin = plan.origin
    nodes = origin.loaded.file.nodes if isinstance(origin, Pipeline) else {}
    for name in plan.bypassed:
        spec = nodes[name]
        defaults = {info.name: info.default for info in describe_node(spec.use).params}
        for param in _live_params(spec.use):
            yield (name, spec.use, param), {**defaults, **spec.params}.get(param)


def _live_params(use: str) -> list[str]:
    return [info.name for info in describe_node(use).params if info.live]
