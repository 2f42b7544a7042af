"""A diagram in Mermaid, which many Markdown viewers render."""

from __future__ import annotations

from ._diagram import SINK, SOURCE, Box, Diagram, Wire


def to_mermaid(drawn: Diagram) -> str:
    """The text of a Mermaid flowchart. Windows are thick arrows, feedback is dotted.

    Mermaid has no ports: an edge that does not join two first ports names them in its label. All
    texts consist of names and numbers, which need no escaping; the title is YAML.
    """
    boxes = {box.id: box for box in drawn.boxes}
    lines = [
        "---",
        f"title: {_yaml(f'{drawn.title}: {drawn.subtitle}')}",
        "---",
        "flowchart TB",
        *(f"  {_box(box)}" for box in drawn.boxes),
        *(f"  {_wire(wire, boxes)}" for wire in drawn.wires),
        "  classDef driver stroke-dasharray: 4 3",
        "  classDef away stroke: #b4470f",
    ]
    for name, chosen in (
        ("driver", [box for box in drawn.boxes if box.role == "driver"]),
        ("away", [box for box in drawn.boxes if box.device != "cpu"]),
    ):
        if chosen:
            lines.append(f"  class {','.join(_id(box.id) for box in chosen)} {name}")
    lines += [f"  %% {note}" for note in drawn.notes]
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    lines = [f"<b>{box.title}</b>", *(text for text in (box.use, *box.details) if text)]
    if box.role != "end":
        takes = f"takes {' and '.join(box.inputs)}, " if box.inputs else ""
        lines.append(f"{takes}gives {' and '.join(box.outputs)}")
    label = "<br/>".join(lines)
    return f'{_id(box.id)}(["{label}"])' if box.role == "end" else f'{_id(box.id)}["{label}"]'


def _wire(wire: Wire, boxes: dict[str, Box]) -> str:
    labels = list(wire.labels)
    first = (boxes[wire.source].outputs[0], boxes[wire.target].inputs[0])
    if (wire.source_port, wire.target_port) != first:
        labels.insert(0, f"{wire.source_port} to {wire.target_port}")
    arrow = "-.->" if wire.feedback else "==>" if wire.window else "-->"
    return f'{_id(wire.source)} {arrow}|"{"<br/>".join(labels)}"| {_id(wire.target)}'


def _id(name: str) -> str:
    """Prefixed ids: a node may be called ``end``, which is a keyword of Mermaid."""
    fixed = {SOURCE: "pipeline_input", SINK: "pipeline_output"}
    return fixed.get(name) or f"node_{name.replace('.', '__')}"


def _yaml(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
