"""A plan as a ``PlanReport``, for ``explain``, drawings and comparisons."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from voicegraph.graph.compiler.provenance import compare_origins
from voicegraph.graph.pipeline import Plan
from voicegraph.graph.plan import Link, PlannedNode
from voicegraph.graph.ports import PortRef, PortSpec
from voicegraph.schemas.plan_report import (
    ApproximationReport,
    CopyReport,
    InputReport,
    LatencyReport,
    LatencyShare,
    LibraryValueReport,
    NodeReport,
    OriginReport,
    OutputReport,
    PlanReport,
)

from ._latency_shares import Share, shares, span
from .file_list import files_read, files_written

_DRIVER_NODES = tuple(
    f"{side}.{step}"
    for side in ("input", "output")
    for step in ("to_mono", "resample", "to_stereo")
)


def report_plan(plan: Plan) -> PlanReport:
    """The plan as plain data; the same for the same pipeline on every machine."""
    description: dict[str, Any] = plan.describe()
    return PlanReport(
        name=plan.name,
        hash=plan.hash,
        block_ms=_ms(plan.block),
        input=_output("audio", plan.spec(PortRef("input", "audio"))),
        output=str(plan.output),
        output_type=str(plan.output_type),
        output_count=plan.samples_out,
        latency=LatencyReport(
            algorithmic_ms=_ms(plan.latency.algorithmic),
            buffering_ms=_ms(plan.latency.buffering),
            shares=[_latency_share(share) for share in shares(plan)],
        ),
        settings=description["settings"],
        nodes=[_node(planned) for planned in plan.nodes],
        copies=_copies(plan),
        bypassed=list(plan.bypassed),
        pruned=list(plan.pruned),
        reads=files_read(plan),
        writes=files_written(plan),
        voice=next((one.voice for one in plan.taken), None),
        library=[
            LibraryValueReport(path=one.path, value=one.value, instead=one.instead, why=one.why)
            for one in plan.taken
        ],
    )


def _latency_share(share: Share) -> LatencyShare:
    limit = share.limit
    return LatencyShare(
        node=share.node,
        port=share.port,
        ms=_ms(share.ahead),
        most_gain_ms=None if limit is None else _ms(limit.gain),
        next_node=None if limit is None else limit.node,
    )


def _ms(seconds: Fraction) -> float:
    return float(seconds * 1000)


def _node(planned: PlannedNode) -> NodeReport:
    params = planned.params.model_dump(mode="json")
    return NodeReport(
        name=planned.name,
        use=planned.use,
        driver=planned.name in _DRIVER_NODES,
        device=planned.device,
        fallback=planned.fallback,
        dtype=planned.dtype,
        params=params,
        dropped=list(planned.dropped),
        unused=list(planned.unused),
        latency_ms=_ms(planned.latency),
        inputs=[_input(planned, port, link) for port, link in planned.inputs.items()],
        outputs=[
            _output(port, planned.asked[port])
            for port in planned.node.declared.outputs  # a node name alone means the first
            if port in planned.asked
        ],
        approximations=[
            ApproximationReport(
                param=found.param,
                value=params[found.param],
                meaning=found.meaning,
                exact=found.exact,
            )
            for found in planned.node.approximations(planned.params)
        ],
        unrepeatable=list(planned.node.unrepeatable(planned.params)),
    )


def _input(planned: PlannedNode, port: str, link: Link) -> InputReport:
    given = planned.given[port]
    start, end = span(planned)
    return InputReport(
        port=port,
        source=str(link.source),
        type=str(given.type),
        start_ms=_ms(given.interval.start),
        end_ms=_ms(given.interval.end),
        look_back_ms=_ms(start - given.interval.start),
        look_ahead_ms=_ms(given.interval.end - end),
        window=given.window,
        feedback=link.feedback,
        copied_to=planned.device if link.copied else None,
        origin=_origin(planned, port),
    )


def _origin(planned: PlannedNode, port: str) -> OriginReport | None:
    """Files by name without folder, so that the report is the same on every machine."""
    wanted, found = planned.node.declared.inputs[port].wanted, planned.given[port].type.origin
    if wanted is None:
        return None
    model = wanted.origin
    return OriginReport(
        noun=model.noun,
        wanted=str(model) if model.facts else None,
        wanted_name=model.title,
        wanted_by=Path(model.told_by).name,
        found=str(found) if found else None,
        found_in=Path(found.told_by).name if found else None,
        outcome=compare_origins(wanted, found),
    )


def _output(port: str, spec: PortSpec) -> OutputReport:
    return OutputReport(
        port=port,
        type=str(spec.type),
        start_ms=_ms(spec.interval.start),
        end_ms=_ms(spec.interval.end),
        window=spec.window,
        count=spec.count,
    )


def _copies(plan: Plan) -> list[CopyReport]:
    """One copy per port and device, for any number of readers; the output is on the CPU."""
    devices = {"input": "cpu"} | {planned.name: planned.device for planned in plan.nodes}
    found: dict[tuple[PortRef, str], str | None] = {}
    for planned in plan.nodes:
        for link in planned.inputs.values():
            if link.copied:
                found.setdefault((link.source, planned.device), planned.name)
    if devices[plan.output.node] != "cpu":
        found.setdefault((plan.output, "cpu"), None)
    return [
        CopyReport(source=str(ref), from_device=devices[ref.node], to_device=device, before=before)
        for (ref, device), before in found.items()
    ]
