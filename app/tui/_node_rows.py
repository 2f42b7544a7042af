"""The nodes of a pipeline, one row each: median and p99 against the block, and late blocks."""

from __future__ import annotations

from voicegraph.schemas.live_status import LiveStatus, NodeLoad

from ._bars import bar
from ._text_lines import Line
from ._wording import short

_NAME = 16
_USE = 20
_FIGURES = 19
"""Columns of median, p99 and late blocks."""
_WITH_USE = 66
"""From this width on there is room for what a node is."""


def node_title(width: int) -> Line:
    """The headings."""
    room = max(width - _FIGURES, 0)
    return [(" nodes, in ms".ljust(room), "bold"), ("median   p99  late ", "muted")]


def node_rows(status: LiveStatus, width: int) -> list[tuple[str, Line]]:
    """Name and row of every node, in the order they run; those that are off come last."""
    longest = min(max((len(node.name) for node in status.nodes), default=0), _NAME)
    return [(node.name, _row(status, node, longest, width)) for node in status.nodes]


def _row(status: LiveStatus, node: NodeLoad, longest: int, width: int) -> Line:
    name = f" {node.name[:_NAME]:<{longest}} "
    use = f"{node.use[:_USE]:<{_USE}} " if width >= _WITH_USE else ""
    if node.bypassed:
        return [(name, "muted"), ("off: its input passes through", "warn")]
    block = status.block_ms or 1.0
    late = status.late.blamed.get(node.name, 0)
    columns = max(width - len(name) - len(use) - _FIGURES, 3)
    near, far = node.median_ms / block, node.p99_ms / block
    figures = f" {short(node.median_ms):>6}{short(node.p99_ms):>6}"
    return [
        (name, ""),
        (use, "muted"),
        *bar(columns, near, far, lambda place: "warn" if far > 0.5 and place > 0.5 else "knob"),
        (figures, ""),
        (f"{late or '':>5} ", "bold bad" if late else ""),
    ]
