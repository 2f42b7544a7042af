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
    planned = require_exportable(plan, name)
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
        text = f"{planned.name} ({planned.use}) has no network with these params"
        raise _nothing_to_export(plan, planned.name, text)
    return network


def require_exportable(plan: CompiledPlan, name: str) -> PlannedNode:
    """A node that says what it exports; nothing is loaded.

    Raises:
        PipelineError: if the plan has no such node, or it has no network.
    """
    if (found := exportable(plan).get(name)) is not None:
        return found
    try:
        planned = plan.find(name)
    except PipelineError as error:
        raise _nothing_to_export(plan, name, error.problems[0].message) from None
    text = f"{name} ({planned.use}) has no network that can be exported"
    raise _nothing_to_export(plan, name, text)


def _nothing_to_export(plan: CompiledPlan, name: str, text: str) -> PipelineError:
    """The error with the nodes that have a network as its fix."""
    names = sorted(exportable(plan).keys() - {name})
    if not names:
        text = f"{text}; no other node of this pipeline has a network"
        return PipelineError(Problem("nothing-to-export", text))
    fixes = "\nor ".join(f"--node {other}" for other in names)
    return PipelineError(Problem("nothing-to-export", text, fix=fixes))
