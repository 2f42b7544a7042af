"""The contents of every drawing of a plan: boxes with ports, wires with labels, and texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.plan_report import InputReport, NodeReport, OutputReport, PlanReport

from ..text_table import milliseconds

SOURCE, SINK = ">input", ">output"
"""Ids of the boxes for the pipeline's input and output; no node can have these names."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node, or the input or output of the pipeline.

    Attributes:
        id: unique in the diagram.
        title: its name.
        use: the node class by name; empty for input and output.
        details: further lines.
        inputs: names of the input ports, in order.
        outputs: names of the output ports, in order.
        role: input or output of the pipeline, a node of the file, or one that a driver added.
        device: the device it runs on, as in pipeline files.
    """

    id: str
    title: str
    use: str
    details: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role: Literal["end", "node", "driver"]
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge from an output port to an input port.

    Attributes:
        source: id of the box it comes from, and ``source_port`` its port.
        target: id of the box it goes to, and ``target_port`` its port.
        kind: audio, features, pitch or mask.
        labels: lines: the type; the span; a copy, a feedback.
        window: whether the span is computed again at every tick.
        feedback: whether it closes a loop.
    """

    source: str
    source_port: str
    target: str
    target_port: str
    kind: str
    labels: tuple[str, ...]
    window: bool
    feedback: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """A drawing: texts above the graph, the graph, texts below it."""

    title: str
    subtitle: str
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    notes: tuple[str, ...]


def diagram(report: PlanReport) -> Diagram:
    """The diagram for a plan's report."""
    outputs = {f"{n.name}.{o.port}": o for n in report.nodes for o in n.outputs}
    outputs["input.audio"] = report.input
    boxes = [_source(report), *(_box(node) for node in report.nodes), _sink(report)]
    wires = [_wire(node.name, entry) for node in report.nodes for entry in node.inputs]
    wires.append(_last(report, outputs[report.output]))
    latency = report.latency
    subtitle = (
        f"block {milliseconds(report.block_ms)} ms, "
        f"algorithmic latency {milliseconds(latency.algorithmic_ms)} ms, "
        f"buffering {milliseconds(latency.buffering_ms)} ms in a live session"
    )
    title = printable(report.name)  # of the file: XML cannot hold control characters
    return Diagram(title, subtitle, tuple(boxes), tuple(wires), tuple(_notes(report)))


def _source(report: PlanReport) -> Box:
    details = (report.input.type, f"{report.input.count} samples a block")
    return Box(SOURCE, "input", "", details, (), ("audio",), "end")


def _sink(report: PlanReport) -> Box:
    details = (report.output_type, f"{report.output_count} a block")
    port = report.output.rpartition(".")[2]
    return Box(SINK, "output", "", details, (port,), (), "end")


def _box(node: NodeReport) -> Box:
    details = [f"{node.device} {node.dtype}, {milliseconds(node.latency_ms)} ms behind"]
    if node.driver:
        details.append("added by the driver")
    return Box(
        id=node.name,
        title=node.name,
        use=node.use,
        details=tuple(details),
        inputs=tuple(entry.port for entry in node.inputs),
        outputs=tuple(entry.port for entry in node.outputs),
        role="driver" if node.driver else "node",
        device=node.device,
    )


def _wire(target: str, entry: InputReport) -> Wire:
    name, _, port = entry.source.rpartition(".")
    labels = [entry.type, _span(entry.window, entry.start_ms, entry.end_ms)]
    if entry.copied_to:
        labels.append(f"copy to {entry.copied_to}")
    if entry.feedback:
        labels.append("feedback")
    return Wire(
        source=SOURCE if name == "input" else name,
        source_port=port,
        target=target,
        target_port=entry.port,
        kind=entry.type.partition(" ")[0],
        labels=tuple(labels),
        window=entry.window,
        feedback=entry.feedback,
    )


def _last(report: PlanReport, made: OutputReport) -> Wire:
    """The wire to the pipeline's output: its newest block."""
    name, _, port = report.output.rpartition(".")
    end = -report.latency.algorithmic_ms
    labels = [made.type, _span(False, end - report.block_ms, end)]
    copied = [
        copy for copy in report.copies if (copy.source, copy.to_device) == (report.output, "cpu")
    ]
    labels += [f"copy to {copy.to_device}" for copy in copied]
    source = SOURCE if name == "input" else name
    return Wire(source, port, SINK, port, made.type.partition(" ")[0], tuple(labels), False)


def _span(window: bool, start: float, end: float) -> str:
    return f"{'window' if window else 'stream'} {milliseconds(start)} .. {milliseconds(end)} ms"


def _notes(report: PlanReport) -> list[str]:
    notes = []
    if report.bypassed:
        notes.append(f"switched off: {', '.join(report.bypassed)}")
    if report.pruned:
        notes.append(f"pruned, since nothing uses them: {', '.join(report.pruned)}")
    return notes
