"""Costs of cells: what was measured on machines, and latencies, which follow from the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voicegraph.schemas.experiment_tables import CostRow

from ..compiled import CompiledExperiment
from ..store import Store

_NUMBERS = ("value", "low", "high", "difference", "difference_low", "difference_high")


def cost_rows(compiled: CompiledExperiment, store: Store) -> list[CostRow]:
    """Rows sorted by cell, machine, figure and partner."""
    found = [*_latencies(compiled), *_measured(compiled, store)]
    return sorted(found, key=lambda row: (row.cell, row.machine, row.name, row.against))


def _latencies(compiled: CompiledExperiment) -> Iterator[CostRow]:
    for cell in compiled.cells:
        latencies: dict[str, float] = {}
        if cell.stated_latency_ms is not None:  # a program tells its latency as a whole
            latencies = {"total_ms": cell.stated_latency_ms}
        elif cell.plan is not None:
            facts = compiled.plans[cell.plan]
            latencies = {
                "algorithmic_ms": facts.algorithmic_ms,
                "buffering_ms": facts.buffering_ms,
                "total_ms": facts.algorithmic_ms + facts.buffering_ms,
            }
        for name, value in latencies.items() if cell.excluded is None else ():
            yield CostRow(cell.name, "", name, "ms", float(value))


def _measured(compiled: CompiledExperiment, store: Store) -> Iterator[CostRow]:
    for (cell, against), key in compiled.costs.items():
        if not store.has(key):
            continue
        about = store.read(key, only=()).about
        for figure in about.get("figures", ()):
            yield _row(cell, against, _machine(about.get("machine", "")), figure)


def _machine(found: object) -> str:
    """Facts of a machine as one text: figures of machines with the same facts are compared."""
    if not isinstance(found, Mapping):
        return str(found)
    cores = found.get("cores")
    rest = (f"{name} {found[name]}" for name in ("python", "torch", "numpy") if name in found)
    words = (found.get("cpu"), f"{cores} cores" if cores else None, found.get("system"), *rest)
    return ", ".join(str(word) for word in words if word)


def _row(cell: str, against: str, machine: str, figure: Mapping[str, Any]) -> CostRow:
    numbers = {name: None if figure.get(name) is None else float(figure[name]) for name in _NUMBERS}
    return CostRow(
        cell=cell,
        machine=machine,
        name=str(figure["name"]),
        unit=str(figure.get("unit", "")),
        against=against,
        **numbers,  # pyright: ignore[reportArgumentType]
    )
