"""The list of nodes: median and p99 compute time against the block, and overruns, a row each."""

from __future__ import annotations

from voicegraph.schemas.live_status import LiveStatus, NodeLoad

from ._formatting import short
from ._panel import SelectableList
from ._text_lines import Line, bar

_NAME = 16
_USE = 20
_FIGURES = 19
"""Columns of median, p99 and late blocks."""
_WITH_USE = 66
"""Columns from which on the kind of a node has room."""


class NodeList(SelectableList):
    """The nodes in the order they run; those switched off come last."""

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """Implements :meth:`.SelectableList.rows`."""
        return node_rows(self.state.status, width)

    def title(self, width: int) -> Line:
        """Implements :meth:`.SelectableList.title`."""
        return node_title(width)


def node_title(width: int) -> Line:
    """The column headings."""
    room = max(width - _FIGURES, 0)
    return [(" nodes, in ms".ljust(room), "bold"), ("median   p99  late ", "muted")]


def node_rows(status: LiveStatus, width: int) -> list[tuple[str, Line]]:
    """Name and row of every node."""
    longest = min(max((len(node.name) for node in status.nodes), default=0), _NAME)
    return [(node.name, _row(status, node, longest, width)) for node in status.nodes]


def _row(status: LiveStatus, node: NodeLoad, longest: int, width: int) -> Line:
    name = f" {node.name[:_NAME]:<{longest}} "
    use = f"{node.use[:_USE]:<{_USE}} " if width >= _WITH_USE else ""
    if node.bypassed:
        return [(name, "muted"), ("bypassed: input passes through", "warn")]
    block = status.block_ms or 1.0
    late = status.late.blamed.get(node.name, 0)
    columns = max(width - len(name) - len(use) - _FIGURES, 3)
    median, p99 = node.median_ms / block, node.p99_ms / block
    figures = f" {short(node.median_ms):>6}{short(node.p99_ms):>6}"
    return [
        (name, ""),
        (use, "muted"),
        *bar(columns, median, p99, lambda at: "warn" if p99 > 0.5 and at > 0.5 else "knob"),
        (figures, ""),
        (f"{late or '':>5} ", "bold bad" if late else ""),
    ]
