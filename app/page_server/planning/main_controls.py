"""The main controls of the page, with ranges that make sense for speaking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voicegraph.app.reports.node_catalogue import describe_node
from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.live.status import describe_param
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.plan import CompiledPlan
from voicegraph.graph.registry import find
from voicegraph.schemas.app import Control
from voicegraph.schemas.report import ProblemReport

from .channel_strip import COMPRESSOR, DENOISE, EQ, GATE, INPUT_GAIN, OUTPUT_GAIN

_AUTO_PITCH = "pitch.auto"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A control without its place in a pipeline.

    Attributes:
        use: the node class, or its family with a dot at the end.
        param: the live param; None for a mere switch.
        node: the only node that it belongs to; None: the first of its class with the param.
        range: least value, greatest value, step; None for a switch and for names to choose from.
        switch: whether the node can be switched off with it.
        part_of: id of the control by which its node is switched on.
    """

    id: Any
    label: str
    text: str
    use: str
    param: str | None
    range: tuple[float, float, float] | None = None
    unit: str | None = None
    node: str | None = None
    scale: float = 1.0
    switch: bool = False
    part_of: str | None = None


_TONE = (-12.0, 12.0, 0.5)
_KINDS = (
    _Kind(
        "pitch", "Pitch", "Moves the voice up or down.",
        "pitch.", "transpose", (-24, 24, 1), "semitones",
    ),
    _Kind(
        "auto_pitch", "Automatic pitch",
        "Moves your pitch to where this voice speaks; Pitch is relative to it then.",
        _AUTO_PITCH, None, switch=True,
    ),
    _Kind(
        "autotune", "Autotune", "Pulls the voice to the notes of a scale, for singing and effects.",
        "pitch.autotune", "strength", (0, 1, 0.05), "%", scale=100, switch=True,
    ),
    _Kind(
        "autotune_key", "Key", "The note that the scale begins with.",
        "pitch.autotune", "key", part_of="autotune",
    ),
    _Kind(
        "autotune_scale", "Scale", "Which notes are sung; chromatic takes all twelve.",
        "pitch.autotune", "scale", part_of="autotune",
    ),
    _Kind(
        "autotune_glide", "Glide", "How slowly it moves to a note: 0 jumps, 100 keeps a vibrato.",
        "pitch.autotune", "glide", (0, 200, 5), "ms", part_of="autotune",
    ),
    _Kind(
        "formant", "Formant", "Makes the speaker sound smaller (up) or larger (down).",
        "synth.", "formant", (-8, 8, 0.5), "semitones",
    ),
    _Kind(
        "retrieval", "Likeness",
        "How much of each sound comes from the voice's own recordings.",
        "retrieval.", "rate", (0, 1, 0.05), "%", scale=100,
    ),
    _Kind(
        "breath", "Breath", "How much breath is in the voice.",
        "synth.", "breath", (-12, 12, 1), "dB",
    ),
    _Kind("bass", "Bass", "Fullness, below 150 Hz.", "dsp.eq", "low_gain", _TONE, "dB", EQ),
    _Kind("middle", "Middle", "Body, around 1.2 kHz.", "dsp.eq", "mid_gain", _TONE, "dB", EQ),
    _Kind("treble", "Treble", "Brightness, above 7 kHz.", "dsp.eq", "high_gain", _TONE, "dB", EQ),
    _Kind(
        "compressor", "Compressor",
        "Makes loud and quiet words alike: what is louder than this level is turned down.",
        "dsp.compressor", "threshold", (-50, -10, 1), "dB", COMPRESSOR, switch=True,
    ),
    _Kind(
        "compressor_makeup", "Make-up gain", "Turns all of it up again after the compressor.",
        "dsp.compressor", "makeup", (0, 18, 0.5), "dB", COMPRESSOR, part_of="compressor",
    ),
    _Kind(
        "gate", "Gate", "Silence below this level, so that the room is not heard in pauses.",
        "dsp.", "threshold", (-80, -20, 1), "dB", GATE, switch=True,
    ),
    _Kind(
        "denoise", "Noise suppression", "Takes steady noise such as fans out of the microphone.",
        "dsp.", "reduction", (3, 40, 1), "dB", DENOISE, switch=True,
    ),
    _Kind(
        "input_gain", "Microphone", "Level of the microphone.",
        "dsp.", "db", (-24, 24, 0.5), "dB", INPUT_GAIN,
    ),
    _Kind(
        "output_gain", "Output", "Level of the converted voice.",
        "dsp.", "db", (-24, 12, 0.5), "dB", OUTPUT_GAIN,
    ),
)  # fmt: skip


def main_controls(plan: CompiledPlan) -> list[Control]:
    """The controls that a plan has, those of nodes that are switched off included."""
    values = dict(_live_values(plan))
    found = []
    for kind in _KINDS:
        control = _switch(kind, plan) if kind.param is None else _control(kind, values, plan)
        if control is not None:
            found.append(control)
    return found


def _switch(kind: _Kind, plan: CompiledPlan) -> Control | None:
    """A control without a value: it only switches a node."""
    name = next((name for name, use in _uses(plan).items() if use == kind.use), None)
    if name is None:
        return None
    on = name not in plan.bypassed
    return Control(
        id=kind.id,
        label=kind.label,
        text=kind.text,
        node=name,
        on=on,
        default=on,
        problem=None if on else _why_not(plan, name),
    )


def _control(
    kind: _Kind, values: Mapping[tuple[str, str, str], Any], plan: CompiledPlan
) -> Control | None:
    for (node, use, param), value in values.items():
        if param != kind.param or not _is_of(use, kind.use) or kind.node not in (None, node):
            continue
        common = {
            "id": kind.id,
            "label": kind.label,
            "text": kind.text,
            "param": f"{node}.{param}",
            "node": node if kind.switch else None,
            "on": node not in plan.bypassed,
            "part_of": kind.part_of,
            "default": value,
        }
        if kind.range is None:
            return Control(**common, choices=_choices(use, param, value))
        if isinstance(value, (int, float)):
            least, most, step = kind.range
            return Control(
                **common,
                minimum=min(least, value),
                maximum=max(most, value),
                step=step,
                unit=kind.unit,
                scale=kind.scale,
            )
    return None


def _is_of(use: str, wanted: str) -> bool:
    return use.startswith(wanted) if wanted.endswith(".") else use == wanted


def _choices(use: str, param: str, value: Any) -> list[str] | None:
    schema = find(use).Params.model_json_schema()["properties"].get(param, {})
    return describe_param(param, value, schema).choices


def _why_not(plan: CompiledPlan, node: str) -> ProblemReport | None:
    """Why a node that is off cannot be switched on; None if it can."""
    origin = plan.origin
    assert isinstance(origin, Pipeline)
    try:
        origin.changed({f"nodes.{node}.enabled": True}).compile()
    except VoicegraphError as error:
        problem = error.problems[0]
        if problem.code == "no-target":
            text = "it is not known where this voice's pitch lies"
            fix = "voicegraph voice edit NAME --sample RECORDING.wav   (some seconds of the voice)"
            problem = Problem("no-target", text, fix=fix)
        return ProblemReport.model_validate(problem.as_dict())
    return None


def _uses(plan: CompiledPlan) -> dict[str, str]:
    """Node -> its class, those that are off included."""
    found = {planned.name: planned.use for planned in plan.nodes}
    return found | {name: spec.use for name, spec in _bypassed(plan)}


def _bypassed(plan: CompiledPlan) -> Iterator[tuple[str, Any]]:
    origin = plan.origin
    nodes = origin.loaded.file.nodes if isinstance(origin, Pipeline) else {}
    return ((name, nodes[name]) for name in plan.bypassed)


def _live_values(plan: CompiledPlan) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """``(node, use, param)`` -> value of all live params, those of bypassed nodes included."""
    for planned in plan.nodes:
        values = planned.params.model_dump()
        for param in _live_params(planned.use):
            yield (planned.name, planned.use, param), values.get(param)
    for name, spec in _bypassed(plan):
        defaults = {info.name: info.default for info in describe_node(spec.use).params}
        for param in _live_params(spec.use):
            yield (name, spec.use, param), {**defaults, **spec.params}.get(param)


def _live_params(use: str) -> list[str]:
    return [info.name for info in describe_node(use).params if info.live]
