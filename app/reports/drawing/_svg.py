"""A diagram as one self-contained SVG, with light and dark colours as the viewer prefers."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ._box_shapes import BoxShape, shape
from ._diagram import Box, Diagram, Wire
from ._layout import Edge, Layout, Point, Size, layout
from .style import KINDS, MARGIN, SMALL, TEXT, TITLE, style_sheet, width_of

_LINE = 1.3
"""Height of a line of text, in em."""
_TURN = 17.0
"""Distance of the control points of a turn below or above it."""


def to_svg(drawn: Diagram) -> str:
    """The text of an SVG file. Streams are single lines, windows double, feedback dashed."""
    shapes = {box.id: shape(box) for box in drawn.boxes}
    placed = _layout(drawn, shapes)
    head = 2 * TITLE * _LINE + 16
    foot = _foot(drawn)
    foot_width = max(width for _, width in foot)
    head_width = max(width_of(drawn.title, TITLE), width_of(drawn.subtitle, TEXT))
    inner = max(placed.width, head_width, foot_width)
    left = MARGIN + (inner - placed.width) / 2
    width = inner + 2 * MARGIN
    height = MARGIN + head + placed.height + 24 + len(foot) * TEXT * 1.7 + MARGIN
    body = [
        *_head(drawn),
        f'<g transform="translate({left:.1f} {MARGIN + head:.1f})">',
        *_wires(drawn, placed),
        *(
            line
            for box, (x, y) in zip(drawn.boxes, placed.boxes, strict=True)
            for line in _box(box, shapes[box.id], x, y)
        ),
        *_labels(drawn, placed),
        "</g>",
        *_below(foot, MARGIN + head + placed.height + 24 + TEXT),
    ]
    return _document(drawn, width, height, body)


def _document(drawn: Diagram, width: float, height: float, body: list[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
            f"aria-label={quoteattr(f'The graph of the pipeline {drawn.title}')}>",
            f"<title>{escape(drawn.title)}</title>",
            f"<desc>{escape(drawn.subtitle)}</desc>",
            f"<style>\n{style_sheet()}\n</style>",
            f'<rect class="page" width="{width:.0f}" height="{height:.0f}" rx="8"/>',
            *body,
            "</svg>\n",
        ]
    )


def _layout(drawn: Diagram, shapes: dict[str, BoxShape]) -> Layout:
    index = {box.id: i for i, box in enumerate(drawn.boxes)}
    edges = [
        Edge(
            source=index[wire.source],
            source_x=shapes[wire.source].outputs[wire.source_port],
            target=index[wire.target],
            target_x=shapes[wire.target].inputs[wire.target_port],
            label=_label_size(wire),
            back=wire.feedback,
        )
        for wire in drawn.wires
    ]
    return layout([Size(s.width, s.height) for s in shapes.values()], edges)


def _label_size(wire: Wire) -> Size:
    width = max(width_of(line, SMALL) for line in wire.labels)
    return Size(width + 12, len(wire.labels) * SMALL * _LINE + 6)


def _head(drawn: Diagram) -> list[str]:
    y = MARGIN + TITLE
    return [
        _text(MARGIN, y, drawn.title, "title ink"),
        _text(MARGIN, y + TITLE * _LINE, drawn.subtitle, "body muted"),
    ]


def _box(box: Box, form: BoxShape, x: float, y: float) -> list[str]:
    """A box with its texts; a node's is the element ``node-NAME``, by which pages find it."""
    lines = [_frame(box, form, x, y)]
    away = box.device != "cpu"
    for text, line_y, style in form.lines:
        style = "body accent" if away and text in box.details[:1] else style
        lines.append(_text(x + form.width / 2, y + line_y, text, style, "middle"))
    if box.role == "end":
        return lines
    for names, port_y in ((form.inputs, form.input_y), (form.outputs, form.output_y)):
        lines += [
            _text(x + at, y + port_y, name, "small muted", "middle") for name, at in names.items()
        ]
    return [f"<g id={quoteattr(f'node-{box.id}')}>", *lines, "</g>"]


def _frame(box: Box, form: BoxShape, x: float, y: float) -> str:
    classes = {"end": "node end", "driver": "node driver", "node": "node"}[box.role]
    away = " away" if box.device != "cpu" else ""
    radius = form.height / 2 if box.role == "end" else 7
    size = f'width="{form.width:.1f}" height="{form.height:.1f}" rx="{radius:g}"'
    return f'<rect class="{classes}{away}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def _wires(drawn: Diagram, placed: Layout) -> list[str]:
    lines = []
    for wire, route in zip(drawn.wires, placed.routes, strict=True):
        path = _path(route)
        back = " back" if wire.feedback else ""
        if wire.window:
            lines.append(f'<path class="rails {wire.kind}-line{back}" d="{path}"/>')
            lines.append(f'<path class="between" d="{path}"/>')
        else:
            lines.append(f'<path class="wire {wire.kind}-line{back}" d="{path}"/>')
        (x, y), (end_x, end_y) = route[0], route[-1]
        lines.append(f'<circle class="{wire.kind}-fill" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        corners = ((end_x, end_y), (end_x - 4, end_y - 8), (end_x + 4, end_y - 8))
        tip = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
        lines.append(f'<polygon class="{wire.kind}-fill" points="{tip}"/>')
    return lines


def _path(route: list[Point]) -> str:
    """Straight through every rank, smooth curves between ranks; a back edge turns twice."""
    (x, y), *rest = route
    back = rest[-1][1] <= y
    parts = [f"M{x:.1f} {y:.1f}"]
    for i, (to_x, to_y) in enumerate(rest):
        first, last = back and i == 0, back and i == len(rest) - 1
        if first or last:
            level = max(y, to_y) + _TURN if first else min(y, to_y) - _TURN
            parts.append(f"C{x:.1f} {level:.1f} {to_x:.1f} {level:.1f} {to_x:.1f} {to_y:.1f}")
        elif abs(to_x - x) < 0.05:
            parts.append(f"V{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _labels(drawn: Diagram, placed: Layout) -> list[str]:
    """On top of everything, with a background, so that no line runs through text."""
    lines = []
    for wire, (x, y) in zip(drawn.wires, placed.labels, strict=True):
        size = _label_size(wire)
        rect = f'width="{size.width:.1f}" height="{size.height:.1f}" rx="4"'
        lines.append(f'<rect class="page" x="{x:.1f}" y="{y:.1f}" {rect}/>')
        for i, text in enumerate(wire.labels):
            style = f"small {wire.kind}-fill" if i == 0 else "small muted"
            style = "small accent" if text.startswith("copy") else style
            line_y = y + 3 + (i + 0.8) * SMALL * _LINE
            lines.append(_text(x + size.width / 2, line_y, text, style, "middle"))
    return lines


def _foot(drawn: Diagram) -> list[tuple[str, float]]:
    """The legend and the notes, each with its width."""
    used = [kind for kind in KINDS if any(wire.kind == kind for wire in drawn.wires)]
    entries = [(f'<path class="wire {kind}-line" d="M0 -3.5H22"/>', kind) for kind in used]
    first = used[0] if used else "audio"
    line = 'd="M0 -3.5H22"/>'
    double = f'<path class="rails {first}-line" {line}<path class="between" {line}'
    if any(wire.window for wire in drawn.wires):
        entries.append((double, "window (recomputed every block)"))
    if any(wire.feedback for wire in drawn.wires):
        entries.append((f'<path class="wire {first}-line back" d="M0 -3.5H22"/>', "feedback"))
    x, parts = 0.0, []
    for mark, text in entries:
        label = _text(28, 0, text, "body muted")
        parts.append(f'<g transform="translate({x:.1f} 0)">{mark}{label}</g>')
        x += 28 + width_of(text, TEXT) + 18
    lines = [("".join(parts), x)]
    return lines + [(_text(0, 0, note, "body muted"), width_of(note, TEXT)) for note in drawn.notes]


def _below(foot: list[tuple[str, float]], top: float) -> list[str]:
    return [
        f'<g transform="translate({MARGIN:.1f} {top + i * TEXT * 1.7:.1f})">{line}</g>'
        for i, (line, _) in enumerate(foot)
    ]


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text class="{style}" {place}>{escape(text)}</text>'
