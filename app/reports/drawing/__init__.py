"""Drawings of plans: self-contained SVG, Graphviz DOT, and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Plan
    from voicegraph.schemas.plan_report import PlanReport

Format = Literal["svg", "dot", "mermaid"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".svg": "svg",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}
"""File ending -> format."""


def draw(plan: Plan, format: Format = "mermaid") -> str:  # noqa: A002
    """The graph of a plan in a drawing format; the text is the same every time.

    Raises:
        ValueError: if there is no such format.
    """
    from ..plan_report import report_plan

    return draw_report(report_plan(plan), format)


def draw_report(report: PlanReport, format: Format = "mermaid") -> str:  # noqa: A002
    """As :func:`draw`, of a plan that another process compiled.

    Raises:
        ValueError: if there is no such format.
    """
    from ._diagram import diagram
    from ._dot import to_dot
    from ._mermaid import to_mermaid
    from ._svg import to_svg

    renderers = {"svg": to_svg, "dot": to_dot, "mermaid": to_mermaid}
    if format not in renderers:
        raise ValueError(f"no drawing format is called {format!r}; there are: {', '.join(FORMATS)}")
    return renderers[format](diagram(report))
