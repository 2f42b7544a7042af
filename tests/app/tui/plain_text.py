"""Text of styled lines, for assertions."""

from __future__ import annotations

from voicegraph.app.tui._text_lines import Line


def plain(line: Line) -> str:
    """The text without styles."""
    return "".join(text for text, _ in line)
