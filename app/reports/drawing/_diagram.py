"""What every drawing of a plan shows: boxes with ports, wires with labels, and some words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicegraph.schemas.plan_report import InputReport, NodeReport, OutputReport, PlanReport

from ..text_table import milliseconds

SOURCE, SINK = ">input", ">output"
"""Ids of the boxes for the pipeline's own ends; no node can be called so."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node, or an end of the pipeline.

    Attributes:
        id: unique in the diagram.
        title: what it is called.
        use: which node it is; empty for the ends.
        details: further lines.
        inputs: names of the input ports, in order.
        outputs: names of the output ports, in order.
        role: an end of the pipeline, a node of the file, or one that a driver added.
        device: where it runs, as files write it.
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
        window: whether the span is estimated afresh at every tick.
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
    """The whole: what stands above it, the graph, what stands below it."""

    title: str
    subtitle: str
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    notes: tuple[str, ...]


def diagram(page: PlanReport) -> Diagram:
    """The diagram of a plan that was reported."""
    outputs = {f"{n.name}.{o.port}": o for n in page.nodes for o in n.outputs}
    outputs["input.audio"] = page.input
    boxes = [_source(page), *(_box(node) for node in page.nodes), _sink(page)]
    wires = [_wire(node.name, entry) for node in page.nodes for entry in node.inputs]
    wires.append(_last(page, outputs[page.output]))
    latency = page.latency
    subtitle = (
        f"block {milliseconds(page.block_ms)} ms, "
        f"algorithmic latency {milliseconds(latency.algorithmic_ms)} ms, "
        f"buffering {milliseconds(latency.buffering_ms)} ms in a live session"
    )
    return Diagram(page.name, subtitle, tuple(boxes), tuple(wires), tuple(_notes(page)))


def _source(page: PlanReport) -> Box:
    details = (page.input.type, f"{page.input.count} samples a block")
    return Box(SOURCE, "input", "", details, (), ("audio",), "end")


def _sink(page: PlanReport) -> Box:
    details = (page.output_type, f"{page.output_count} a block")
    port = page.output.rpartition(".")[2]
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


def _last(page: PlanReport, made: OutputReport) -> Wire:
    """The wire to the pipeline's output: its newest block."""
    name, _, port = page.output.rpartition(".")
    end = -page.latency.algorithmic_ms
    labels = [made.type, _span(False, end - page.block_ms, end)]
    copied = [copy for copy in page.copies if (copy.source, copy.to_device) == (page.output, "cpu")]
    labels += [f"copy to {copy.to_device}" for copy in copied]
    source = SOURCE if name == "input" else name
    return Wire(source, port, SINK, port, made.type.partition(" ")[0], tuple(labels), False)


def _span(window: bool, start: float, end: float) -> str:
    return f"{'window' if window else 'stream'} {milliseconds(start)} .. {milliseconds(end)} ms"


def _notes(page: PlanReport) -> list[str]:
    notes = []
    if page.bypassed:
        notes.append(f"switched off: {', '.join(page.bypassed)}")
    if page.pruned:
        notes.append(f"pruned, since nothing uses them: {', '.join(page.pruned)}")
    return notes
