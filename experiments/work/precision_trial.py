"""What ``dtype: auto`` means on this machine, tried once by the driver and then pinned."""

from __future__ import annotations

import os

import torch

from voicegraph.graph import machine
from voicegraph.graph.plan import CompiledPlan
from voicegraph.graph.precision import AUTO
from voicegraph.graph.runtime.session import Session

from .pipeline_data import engine_setup


def machine_kind() -> str:
    """Names machines that compute alike: processor, system, and the instructions in use."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    parts = (
        machine.cpu_model(),
        machine.system(),
        torch.backends.cpu.get_cpu_capability(),
        limit,
    )
    return ", ".join(part for part in parts if part)


def undecided(plan: CompiledPlan) -> list[str]:
    """Names of the nodes with ``dtype: auto``."""
    return [planned.name for planned in plan.nodes if planned.dtype == AUTO]


def try_precisions(plan: CompiledPlan, threads: int) -> dict[str, str]:
    """Loads a plan, and tells in what each node with ``dtype: auto`` computes.

    Raises:
        VoicegraphError: if the weights cannot be loaded.
    """
    names = undecided(plan)
    setup = engine_setup(threads, {})
    with Session(plan, warm_up=False, workers=False, write_files=False, setup=setup):
        return {name: plan.precisions[name].dtype for name in names}
