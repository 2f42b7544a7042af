"""How an engine was set up: for reports, recordings and snapshots, and to set up a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.schemas.engine_setup import EngineSetup, NodeSetup

from .thread_layout import apply_layout, fits

if TYPE_CHECKING:
    from .engine import Engine

_OTHER_BRANCHES = (
    "the threads of the recorded session do not fit this pipeline: all nodes run in a row"
)


def setup_of(engine: Engine) -> EngineSetup:
    """How an engine was set up on this machine."""
    return EngineSetup(
        threads=engine.layout,
        tried=engine.tried,
        nodes={planned.name: NodeSetup(precision=planned.dtype) for planned in engine.plan.nodes},
    )


def use_setup(engine: Engine, setup: EngineSetup, notes: list[str]) -> None:
    """Gives an engine the thread layout of a setup; without its branches, all nodes in a row."""
    layout = setup.threads
    if not fits(engine, layout):
        notes.append(_OTHER_BRANCHES)
        layout = layout.model_copy(update={"workers": []})
    apply_layout(engine, layout)
