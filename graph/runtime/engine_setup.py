"""How an engine was set up: for reports, recordings and snapshots, and to set up a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.schemas.engine_setup import EngineSetup, NodeSetup

from ..precision import PrecisionChoice
from .thread_layout import apply_layout, fits

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine

_OTHER_BRANCHES = (
    "the threads of the recorded session do not fit this pipeline: all nodes run in a row"
)


def setup_of(engine: Engine) -> EngineSetup:
    """How an engine was set up on this machine."""
    return EngineSetup(
        threads=engine.layout,
        tried=engine.tried,
        nodes={planned.name: _node_setup(engine.plan, planned) for planned in engine.plan.nodes},
    )


def _node_setup(plan: CompiledPlan, planned: PlannedNode) -> NodeSetup:
    chosen = plan.precisions.get(planned.name)
    if chosen is None:
        return NodeSetup(precision=planned.dtype)
    return NodeSetup(precision=chosen.dtype, trial_ms=dict(chosen.milliseconds))


def precisions_of(setup: EngineSetup | None) -> dict[str, PrecisionChoice]:
    """What each node of a setup computes in, by name."""
    if setup is None:
        return {}
    return {
        name: PrecisionChoice(node.precision, node.trial_ms) for name, node in setup.nodes.items()
    }


def use_setup(engine: Engine, setup: EngineSetup, notes: list[str]) -> None:
    """Gives an engine the thread layout of a setup; without its branches, all nodes in a row."""
    layout = setup.threads
    if not fits(engine, layout):
        notes.append(_OTHER_BRANCHES)
        layout = layout.model_copy(update={"workers": []})
    apply_layout(engine, layout)
