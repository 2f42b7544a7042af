"""The graph of a real plan, as the page server tells it."""

from __future__ import annotations

from functools import cache

from voicegraph.app.reports.drawing import draw
from voicegraph.app.reports.plan_report import report_plan
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.app import Graph, GraphNode, GraphParam


@cache
def world_graph() -> Graph:
    """The graph of the pipeline ``world``, with two made-up params at each node."""
    plan = Pipeline.load("world").compile()
    report = report_plan(plan)
    nodes = [
        GraphNode(
            name=node.name,
            use=node.use,
            interface="f0" if node.name == "f0" else None,
            device=node.device,
            dtype=node.dtype,
            latency_ms=node.latency_ms,
            driver=node.driver,
            bypassed=False,
            bypassable=node.name == "limiter",
            alternatives=["f0.dio", "f0.swift"] if node.name == "f0" else [],
            params=_params(),
            summary="What the node does in one line.",
            help="What the node does.\nIn more than one line.",
        )
        for node in report.nodes
    ]
    return Graph(
        pipeline=report.name,
        svg=draw(plan, "svg"),
        nodes=nodes,
        delay_ms=report.latency.algorithmic_ms,
    )


def _params() -> list[GraphParam]:
    window = GraphParam(name="window", value="20ms", type="duration", live=False, help="Length.")
    shift = GraphParam(
        name="transpose",
        value=0.0,
        default=0.0,
        type="number",
        minimum=-24,
        maximum=24,
        unit="semitones",
        live=True,
        help="Shift.",
    )
    kind = GraphParam(name="method", value="swift", type="text", live=False, help="How.")
    return [shift, window, kind]
