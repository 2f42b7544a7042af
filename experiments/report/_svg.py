"""Inline SVG: elements, axes and scales of the page's pictures.

Colours are classes of the page's style sheet, so that pictures follow light and dark. ElementTree
escapes every text.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from voicegraph.graph.terminal_text import printable

from ._numbers import MINUS


def key_mark(style: str, shape: str) -> str:
    """A mark as it stands in a legend, beside its name."""
    root = ET.Element("svg", {"viewBox": "0 0 16 16", "class": "key", "aria-hidden": "true"})
    root.append(_mark(8, 8, style, shape))
    return ET.tostring(root, encoding="unicode")


def _mark(x: float, y: float, style: str, shape: str) -> ET.Element:
    if shape == "circle":
        places = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "4.5"}
        return ET.Element("circle", {**places, "class": style})
    corners = [(x + 6 * dx, y + 6 * dy) for dx, dy in _SHAPES[shape]]
    steps = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    return ET.Element("polygon", {"points": steps, "class": style})


class Picture:
    """An SVG picture with a title and a description for those who do not see it.

    Args:
        width: in user units; the page scales it.
        height: in user units.
        title: what it shows.
        description: what is to be seen in it.
    """

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        box = f"0 0 {width:g} {height:g}"
        self.root = ET.Element("svg", {"viewBox": box, "role": "img", "class": "figure"})
        self._title = ET.SubElement(self.root, "title")
        self._title.text = printable(title)
        self._about = ET.SubElement(self.root, "desc")
        self._about.text = printable(description)

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """A line of a class of the style sheet."""
        places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        self._add("line", {**{k: f"{v:.1f}" for k, v in places.items()}, "class": style})

    def text(self, x: float, y: float, text: str, style: str = "label") -> None:
        """Text, anchored as its class says."""
        self._add("text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": style}).text = printable(text)

    def path(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """A line through points."""
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._add("polyline", {"points": steps, "class": style})

    def mark(self, x: float, y: float, style: str, tip: str, shape: str = "circle") -> None:
        """A point with a tool tip: ``circle``, ``square``, ``diamond`` or ``triangle``."""
        found = _mark(x, y, style, shape)
        self.root.append(found)
        ET.SubElement(found, "title").text = printable(tip)

    def markup(self) -> str:
        """The element as text, to stand in HTML. Its ids are made of what it shows."""
        name = f"p{zlib.crc32(ET.tostring(self.root)):08x}"
        self._title.set("id", f"{name}-t")
        self._about.set("id", f"{name}-d")
        self.root.set("aria-labelledby", f"{name}-t {name}-d")
        return ET.tostring(self.root, encoding="unicode")

    def _add(self, tag: str, attributes: dict[str, str]) -> ET.Element:
        return ET.SubElement(self.root, tag, attributes)


_SHAPES = {
    "square": ((-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)),
    "diamond": ((0, -1), (1, 0), (0, 1), (-1, 0)),
    "triangle": ((0, -1), (0.95, 0.75), (-0.95, 0.75)),
}
SHAPES = ("circle", "square", "diamond", "triangle")


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places.

    Attributes:
        low: value at ``start``.
        high: value at ``end``.
        start: place.
        end: place.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> Scale:
        """A scale that holds all values with some room."""
        low, high = min(values), max(values)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        return cls(low - room, high + room, start, end)

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, count: int = 5) -> Sequence[tuple[float, str]]:
        """Round values within the scale, about ``count`` of them, and their texts."""
        raw = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        if step / power == 2.5 and power < 10:
            digits += 1
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        places = [k * step for k in range(first, last + 1)]
        return [(v, f"{v:.{digits}f}".replace("-", MINUS)) for v in places]


def value_axis(picture: Picture, scale: Scale, top: float, bottom: float, title: str) -> None:
    """A horizontal axis with grid lines below a chart."""
    for value, text in scale.ticks():
        x = scale(value)
        picture.line(x, top, x, bottom, "grid")
        picture.text(x, bottom + 18, text, "tick middle")
    picture.text((scale.start + scale.end) / 2, bottom + 38, title, "label middle")
