"""The list of nodes."""

from __future__ import annotations

from ._listing import Listing
from ._node_rows import node_rows, node_title
from ._text_lines import Line


class NodeList(Listing):
    """What each node costs."""

    def rows(self, width: int) -> list[tuple[str, Line]]:
        """One a node."""
        return node_rows(self.view.status, width)

    def title(self, width: int) -> Line:
        """The headings."""
        return node_title(width)
