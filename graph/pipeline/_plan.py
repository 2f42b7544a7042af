"""The plan that users hold: compiled data with methods to run, explain and draw it."""

from __future__ import annotations

from typing import Any, Literal

from ..plan import CompiledPlan
from ..providers import provided
from ..runtime.session import Session


class Plan(CompiledPlan):
    """A compiled pipeline; weights are loaded when a session is opened.

    Made by :meth:`Pipeline.compile <voicegraph.Pipeline.compile>`.
    """

    __slots__ = ()

    def session(self, streams: int = 1, **options: Any) -> Session:
        """Opens a running instance of this plan; ``options`` are those of :class:`Session`."""
        return Session(self, streams, **options)

    def explain(self) -> str:
        """A readable text with one line per node: types, intervals, latency, placement."""
        return provided("explain")(self)

    def draw(self, format: Literal["svg", "dot", "mermaid"] = "mermaid") -> str:  # noqa: A002
        """The graph as text in a drawing format."""
        return provided("draw")(self, format)
