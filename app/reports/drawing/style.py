"""Sizes, colours and the style sheet of an SVG drawing, in light and in dark.

Text is monospaced, because its width is then known without a font: a character is 0.6 em wide in
every common monospaced font, and 0.62 leaves room. Colours are written twice, without CSS
variables, which many SVG viewers do not support.
"""

from __future__ import annotations

ADVANCE = 0.62
"""Width of a character, in em."""

TITLE, TEXT, SMALL = 13.0, 10.5, 9.5
"""Font sizes in px: names, descriptions, ports and labels."""

MARGIN = 24.0
FONT = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', "
    "'Liberation Mono', monospace"
)
KINDS = ("audio", "features", "pitch", "mask")

_LIGHT = {
    "page": "#ffffff",
    "box": "#f3f5f8",
    "rim": "#b9c3cf",
    "text": "#17202b",
    "muted": "#566373",
    "accent": "#b4470f",
    "audio": "#1f62c4",
    "features": "#7a35d6",
    "pitch": "#0b7a4b",
    "mask": "#97610a",
}
_DARK = {
    "page": "#0f141a",
    "box": "#1b232d",
    "rim": "#43505f",
    "text": "#e6ebf1",
    "muted": "#9eabba",
    "accent": "#ff9a5c",
    "audio": "#6fa9ff",
    "features": "#c5a3ff",
    "pitch": "#4fc78e",
    "mask": "#efb65d",
}


def width_of(text: str, size: float) -> float:
    """Maximum width of a line of text in px."""
    return len(text) * size * ADVANCE


def style_sheet() -> str:
    """The CSS of the drawing."""
    shapes = [
        f"text{{font-family:{FONT}}}",
        f".title{{font-size:{TITLE:g}px;font-weight:600}}",
        f".body{{font-size:{TEXT:g}px}}",
        f".small{{font-size:{SMALL:g}px}}",
        ".wire{fill:none;stroke-width:1.8}",
        ".rails{fill:none;stroke-width:5}",
        ".between{fill:none;stroke-width:2.2}",
        ".back{stroke-dasharray:6 4}",
        ".node{stroke-width:1.2}",
        ".driver{stroke-dasharray:4 3}",
    ]
    dark = "".join(_colours(_DARK))
    return "\n".join([*shapes, *_colours(_LIGHT), f"@media (prefers-color-scheme: dark){{{dark}}}"])


def _colours(palette: dict[str, str]) -> list[str]:
    rules = [
        f".page{{fill:{palette['page']}}}",
        f".between{{stroke:{palette['page']}}}",
        f".node{{fill:{palette['box']};stroke:{palette['rim']}}}",
        f".away{{stroke:{palette['accent']}}}",
        f".end{{fill:{palette['page']};stroke:{palette['rim']}}}",
        f".ink{{fill:{palette['text']}}}",
        f".muted{{fill:{palette['muted']}}}",
        f".accent{{fill:{palette['accent']}}}",
    ]
    for kind in KINDS:
        colour = palette[kind]
        rules.append(f".{kind}-line{{stroke:{colour}}}")
        rules.append(f".{kind}-fill{{fill:{colour}}}")
    return rules
