"""A compiled plan as data that can be run without compiling it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicegraph.schemas.bundle import BundleInput, BundleNode, BundlePlan, BundlePort

from ..plan import CompiledPlan, PlannedNode
from ..ports import PortRef, PortSpec


def bundle_plan(
    plan: CompiledPlan, networks: Mapping[str, str], files: Mapping[str, str]
) -> BundlePlan:
    """The plan of a bundle.

    Args:
        plan: compiled.
        networks: files of the bundle, by the node whose network they hold.
        files: files of the bundle, by the param that names their source: ``node.param``.
    """
    return BundlePlan(
        name=plan.name,
        block=str(plan.block),
        input=_port(plan.spec(PortRef("input", "audio"))),
        output=str(plan.output),
        samples_out=plan.samples_out,
        latency=plan.latency_out,
        nodes=[_node(planned, networks, files) for planned in plan.nodes],
    )


def _node(
    planned: PlannedNode, networks: Mapping[str, str], files: Mapping[str, str]
) -> BundleNode:
    return BundleNode(
        name=planned.name,
        use=planned.use,
        params=_params(planned, files),
        seed=planned.node.seed,
        inputs={
            port: BundleInput(
                source=str(link.source), feedback=link.feedback, given=_port(planned.given[port])
            )
            for port, link in planned.inputs.items()
        },
        outputs={port: _port(spec) for port, spec in planned.asked.items()},
        network=networks.get(planned.name),
    )


def _params(planned: PlannedNode, files: Mapping[str, str]) -> dict[str, Any]:
    params = planned.params.model_dump(mode="json")
    for name in planned.params.file_fields():
        if isinstance(getattr(planned.params, name), Path):
            params[name] = files.get(f"{planned.name}.{name}")
    return params


def _port(spec: PortSpec) -> BundlePort:
    return BundlePort.model_validate(
        {
            "kind": spec.type.kind,
            "rate": str(spec.rate),
            "width": spec.type.width or 1,
            "start": str(spec.interval.start),
            "end": str(spec.interval.end),
            "core_start": str(spec.core.start),
            "core_end": str(spec.core.end),
            "window": spec.window,
            "count": spec.count,
        }
    )
