"""The plan as people hold it: the compiled data, and what one does with it."""

from __future__ import annotations

from typing import Any, Literal

from ..plan import CompiledPlan
from ..providers import provided
from ..runtime.session import Session


class Plan(CompiledPlan):
    """A compiled pipeline: pure data until a session is opened.

    Made by :meth:`Pipeline.compile <voicegraph.Pipeline.compile>`.
    """

    __slots__ = ()

    def session(self, streams: int = 1, **options: Any) -> Session:
        """A running instance of this plan; ``options`` are those of :class:`Session`."""
        return Session(self, streams, **options)

    def explain(self) -> str:
        """One readable page: types, intervals, latency, placement; a line a node."""
        return provided("explain")(self)

    def draw(self, format: Literal["svg", "dot", "mermaid"] = "mermaid") -> str:  # noqa: A002
        """The graph as text of a drawing format."""
        return provided("draw")(self, format)
