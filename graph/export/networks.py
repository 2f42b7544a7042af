"""The networks of a plan: which nodes have one, and how it is loaded."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..errors import PipelineError, Problem
from ..file_contents import require_unchanged
from ..network_export import ExportedNetwork
from ..node import Node
from ..plan import CompiledPlan, PlannedNode
from ..startup_stages import begin_stage


def exportable(plan: CompiledPlan) -> Mapping[str, PlannedNode]:
    """The nodes of a plan that say what they export, by name; nothing is loaded."""
    return {
        planned.name: planned
        for planned in plan.nodes
        if type(planned.node).exports is not Node.exports
    }


def load_network(plan: CompiledPlan, name: str) -> ExportedNetwork:
    """The network of a node, loaded in float32 on the CPU, whatever the file says.

    The plan's node is loaded for that alone: open sessions on another plan of the pipeline.

    Raises:
        PipelineError: if the plan has no such node, or it has no network.
        VoicegraphError: if its weights are missing or wrong.
    """
    planned = plan.find(name)
    if name not in exportable(plan):
        raise _nothing_to_export(plan, planned)
    begin_stage(f"loading {name} ({planned.use})")
    node, cpu = planned.node, torch.device("cpu")
    node.device, node.dtype = cpu, torch.float32
    with torch.inference_mode(False):
        node.prepare(planned.params)
        node.load(planned.params, cpu, torch.float32)
        for key in planned.files.keys() & plan.files.keys():
            require_unchanged(plan.files[key])  # afterwards: what was loaded was hashed
        network = node.exports(planned.params)
    if network is None:
        raise _nothing_to_export(plan, planned)
    return network


def _nothing_to_export(plan: CompiledPlan, planned: PlannedNode) -> PipelineError:
    names = exportable(plan).keys() - {planned.name}
    text = f"{planned.name} ({planned.use}) has no network that can be exported"
    if not names:
        return PipelineError(Problem("nothing-to-export", f"{text}, nor has another node"))
    fixes = "\nor ".join(f"--node {other}" for other in sorted(names))
    return PipelineError(Problem("nothing-to-export", text, fix=fixes))
