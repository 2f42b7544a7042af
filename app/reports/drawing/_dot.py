"""A diagram in the DOT language of Graphviz."""

from __future__ import annotations

from html import escape

from ._diagram import Box, Diagram, Wire

_COLOURS = {"audio": "#1f62c4", "features": "#7a35d6", "pitch": "#0b7a4b", "mask": "#97610a"}


def to_dot(drawn: Diagram) -> str:
    """The text of a DOT file. Windows are double lines, feedback is dashed."""
    title = escape(f"{drawn.title}: {drawn.subtitle}")
    caption = "<br/>".join([title, *(escape(note) for note in drawn.notes)])
    lines = [
        f"digraph {_quote(drawn.title)} {{",
        f"  graph [rankdir=TB, label=<{caption}>, labelloc=t, fontname=monospace, fontsize=11];",
        "  node [shape=plain, fontname=monospace, fontsize=10];",
        "  edge [fontname=monospace, fontsize=9];",
        *(f"  {_quote(box.id)} [label=<{_table(box)}>];" for box in drawn.boxes),
        *(f"  {_edge(wire)};" for wire in drawn.wires),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _table(box: Box) -> str:
    """Input ports on top, the texts in the middle, output ports below."""
    title = f"<b>{escape(box.title)}</b>"
    middle = "<br/>".join([title, *(escape(line) for line in (box.use, *box.details) if line)])
    spanned = max(len(box.inputs), len(box.outputs), 1)
    rows = [
        _ports("in", box.inputs, spanned),
        f'<tr><td colspan="{spanned}" cellpadding="6">{middle}</td></tr>',
        _ports("out", box.outputs, spanned),
    ]
    style = "dashed" if box.role == "driver" else "rounded"
    colour = ' color="#b4470f"' if box.device != "cpu" else ""
    table = f'<table border="1" cellborder="0" cellspacing="0" style="{style}"{colour}>'
    return f"{table}{''.join(rows)}</table>"


def _ports(side: str, names: tuple[str, ...], columns: int) -> str:
    """A row of ports; the last one spans the remaining columns."""
    cells = []
    for i, name in enumerate(names):
        spanned = columns - i if i == len(names) - 1 else 1
        cells.append(f'<td port="{side}_{escape(name)}" colspan="{spanned}">{escape(name)}</td>')
    return f"<tr>{''.join(cells)}</tr>" if cells else ""


def _edge(wire: Wire) -> str:
    source = f"{_quote(wire.source)}:{_quote('out_' + wire.source_port)}:s"
    target = f"{_quote(wire.target)}:{_quote('in_' + wire.target_port)}:n"
    colour = _COLOURS[wire.kind]
    label = "\\n".join(_escape(line) for line in wire.labels)
    options = [
        f'label="{label}"',
        f'color="{colour}:invis:{colour}"' if wire.window else f'color="{colour}"',
        f'fontcolor="{colour}"',
    ]
    if wire.feedback:
        options.append("style=dashed, constraint=false")
    return f"{source} -> {target} [{', '.join(options)}]"


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
