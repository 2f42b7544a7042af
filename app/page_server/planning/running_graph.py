"""The graph of the running pipeline: its drawing, its nodes, and what a change would mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from voicegraph.app.reports.drawing import draw_report
from voicegraph.app.reports.node_catalogue import describe_node, summarize_node
from voicegraph.graph import registry
from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.live.status import describe_param
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.runtime.hot_swap import plan_change
from voicegraph.graph.signals import Audio
from voicegraph.schemas.app import CheckResult, Control, Graph, GraphNode, GraphParam, NodeProblem
from voicegraph.schemas.control import AudioFormat, RunningPipeline
from voicegraph.schemas.plan_report import NodeReport
from voicegraph.schemas.report import NodeInfo, ParamInfo, ProblemReport

from .main_controls import main_controls

if TYPE_CHECKING:
    from voicegraph.graph.runtime.hot_swap import RunningSession

_NODE_PATH = re.compile(r"\bnodes\.([a-z][a-z0-9_]*)")
_PARAM_PATH = re.compile(r"nodes\.[a-z][a-z0-9_]*\.(params\.[a-z][a-z0-9_]*|enabled)")
_SUBJECT = re.compile(r"\W*([a-z][a-z0-9_]*)\b")


class RunningGraph:
    """Draws, describes and checks what another process runs; compiles, so it may take a second.

    Args:
        readable: the folders of which pipelines may name files.
    """

    def __init__(self, readable: Sequence[Path]) -> None:
        self._readable = readable

    def describe(self, running: RunningPipeline) -> Graph:
        """The drawing and all nodes."""
        report = running.plan
        nodes = [_node(node) for node in report.nodes]
        if report.bypassed:
            specs = self._pipeline(running).loaded.file.nodes
            nodes += [
                _bypassed(name, specs[name].use, specs[name].params) for name in report.bypassed
            ]
        return Graph(
            pipeline=report.name,
            svg=draw_report(report, "svg"),
            nodes=nodes,
            delay_ms=report.latency.algorithmic_ms + report.latency.buffering_ms,
        )

    def controls(self, running: RunningPipeline) -> list[Control]:
        """The main controls of what runs; their defaults are the pipeline's own values."""
        own = {k: v for k, v in running.overrides.items() if not _PARAM_PATH.fullmatch(k)}
        return main_controls(self._plan(running.model_copy(update={"overrides": own})))

    def check(self, running: RunningPipeline, overrides: Mapping[str, Any]) -> CheckResult:
        """What is wrong with a change of what runs; nothing is changed."""
        try:
            session = _SessionOfPlan(self._pipeline(running), self._plan(running))
            plan = plan_change(cast("RunningSession", session), overrides)
        except VoicegraphError as error:
            names = [node.name for node in running.plan.nodes] + running.plan.bypassed
            problems = [_placed(problem, names, overrides) for problem in error.problems]
            return CheckResult(ok=False, problems=problems)
        latency = plan.latency
        return CheckResult(
            ok=True, problems=[], delay_ms=1e3 * float(latency.algorithmic + latency.buffering)
        )

    def _pipeline(self, running: RunningPipeline) -> Pipeline:
        assert running.path is not None, "the app starts pipelines from files"
        return Pipeline.load(
            running.path, running.overrides, profiles=running.profiles, confined=self._readable
        )

    def _plan(self, running: RunningPipeline) -> Plan:
        target = None if running.output is None else _audio(running.output)
        return self._pipeline(running).compile(
            _audio(running.input), target, Fraction(running.latency_s)
        )


@dataclass
class _SessionOfPlan:
    """As much of a session as it takes to plan a change of it."""

    base: Pipeline
    plan: Plan
    overrides: dict[str, Any] = field(default_factory=dict)


def _audio(found: AudioFormat) -> Audio:
    return Audio(Fraction(found.rate_hz), found.channels)


def _node(node: NodeReport) -> GraphNode:
    info = describe_node(node.use)
    takes = next(iter(node.inputs), None)
    gives = next(iter(node.outputs), None)
    same = takes is not None and gives is not None and takes.type == gives.type
    return GraphNode(
        name=node.name,
        use=node.use,
        interface=info.interface,
        device=node.device,
        dtype=node.dtype,
        latency_ms=node.latency_ms,
        driver=node.driver,
        bypassed=False,
        bypassable=same and not node.driver,
        alternatives=[] if node.driver else _alternatives(node.use),
        params=_params(node.use, info, node.params),
        summary=info.summary,
        help=info.doc,
    )


def _bypassed(name: str, use: str, params: Mapping[str, Any]) -> GraphNode:
    info = describe_node(use)
    return GraphNode(
        name=name,
        use=use,
        interface=info.interface,
        device="",
        dtype="",
        latency_ms=0,
        driver=False,
        bypassed=True,
        bypassable=True,
        alternatives=_alternatives(use),
        params=_params(use, info, params),
        summary=info.summary,
        help=info.doc,
    )


@cache
def _interfaces() -> dict[str, list[str]]:
    """Interface -> the node classes that have it and can be loaded here."""
    found: dict[str, list[str]] = {}
    for name in registry.names():
        summary = summarize_node(name)
        if summary.interface is not None and summary.error is None:
            found.setdefault(summary.interface, []).append(name)
    return found


def _alternatives(use: str) -> list[str]:
    interface = summarize_node(use).interface
    return [name for name in _interfaces().get(interface or "", []) if name != use]


def _params(use: str, info: NodeInfo, values: Mapping[str, Any]) -> list[GraphParam]:
    properties = registry.find(use).Params.model_json_schema().get("properties", {})
    return [_param(entry, values, properties.get(entry.name, {})) for entry in info.params]


def _param(info: ParamInfo, values: Mapping[str, Any], schema: dict[str, Any]) -> GraphParam:
    value = values.get(info.name, info.default)
    shape = describe_param(info.name, value, schema)
    return GraphParam(
        name=info.name,
        value=value,
        default=info.default,
        type=info.type,
        minimum=shape.minimum,
        maximum=shape.maximum,
        choices=shape.choices,
        unit=info.unit,
        live=info.live,
        file=info.file,
        help=info.doc,
    )


def _placed(problem: Problem, names: Sequence[str], overrides: Mapping[str, Any]) -> NodeProblem:
    """A problem with its node: the one of the override, else the one that the sentence is about."""
    where = _NODE_PATH.search(problem.mark.source if problem.mark is not None else "")
    subject = _SUBJECT.match(problem.message)
    changed = {found[1] for path in overrides if (found := _NODE_PATH.match(path))}
    node = where[1] if where is not None else subject[1] if subject is not None else None
    if node not in names:
        node = next(iter(changed)) if len(changed) == 1 else None
    return NodeProblem(node=node, problem=ProblemReport.model_validate(problem.as_dict()))
