"""The shape of a box: its size, and the positions of its text and ports."""

from __future__ import annotations

from dataclasses import dataclass

from ._diagram import Box
from .style import SMALL, TEXT, TITLE, width_of

_PAD = 12.0
_PORT_ROW = SMALL * 1.5
_PORT_GAP = 14.0


@dataclass(frozen=True, slots=True)
class BoxShape:
    """A box; positions are relative to its upper left corner.

    Attributes:
        width: of the box.
        height: of the box.
        lines: text, baseline and CSS classes of the lines in the middle.
        inputs: x of every input port; its name stands at ``input_y``.
        outputs: x of every output port; its name stands at ``output_y``.
    """

    width: float
    height: float
    lines: tuple[tuple[str, float, str], ...]
    inputs: dict[str, float]
    input_y: float
    outputs: dict[str, float]
    output_y: float


def shape(box: Box) -> BoxShape:
    """The smallest box that holds all its text."""
    texts = [(box.title, TITLE, "title ink")]
    if box.use:
        texts.append((box.use, TEXT, "body ink"))
    texts += [(line, TEXT, "body muted") for line in box.details]
    named = box.role != "end"
    ports = [_ports_width(names) for names in (box.inputs, box.outputs)] if named else [0.0]
    width = max(*(width_of(text, size) for text, size, _ in texts), *ports) + 2 * _PAD
    y = _PORT_ROW + 3 if named and box.inputs else 8.0
    lines = []
    for text, size, style in texts:
        y += size * 1.35
        lines.append((text, y - size * 0.28, style))
    y += _PORT_ROW + 3 if named and box.outputs else 8.0
    return BoxShape(
        width,
        y,
        tuple(lines),
        _spread(box.inputs, width),
        _PORT_ROW - 2,
        _spread(box.outputs, width),
        y - SMALL * 0.5,
    )


def _ports_width(names: tuple[str, ...]) -> float:
    return sum(width_of(name, SMALL) for name in names) + _PORT_GAP * max(len(names) - 1, 0)


def _spread(names: tuple[str, ...], width: float) -> dict[str, float]:
    """Distributes the ports evenly over the width of the box."""
    free = width - sum(width_of(name, SMALL) for name in names)
    gap = free / (len(names) + 1)
    found: dict[str, float] = {}
    x = gap
    for name in names:
        size = width_of(name, SMALL)
        found[name] = x + size / 2
        x += size + gap
    return found
