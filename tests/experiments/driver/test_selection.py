"""Which tasks a run computes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegraph.experiments.compiled import CompiledExperiment
from voicegraph.experiments.driver.selection import select_tasks
from voicegraph.experiments.file.cell_pattern import CellPattern
from voicegraph.experiments.file.load import load_experiment
from voicegraph.experiments.grid.compile import compile_experiment
from voicegraph.experiments.task import Kind
from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError


@pytest.fixture
def compiled(folder: Path) -> Iterator[CompiledExperiment]:
    """Two targets, a loud and a quiet one, of three clips."""
    targets = {name: {"set": {"nodes.gain.params.db": db}} for name, db in (("a", 3), ("b", -3))}
    overrides = {"targets": targets, "factors": {"gain": None}, "compare": []}
    with registry.isolated():
        yield compile_experiment(load_experiment(folder / "small.yaml", overrides))


@pytest.mark.parametrize(("pattern", "clips"), [("target=a", 3), ("target=a|b", 6)])
def test_target_stands_for_the_target(
    compiled: CompiledExperiment, pattern: str, clips: int
) -> None:
    tasks = select_tasks(compiled, CellPattern.parse(pattern))
    assert sum(task.kind is Kind.CONVERT for task in tasks) == clips


def test_unknown_target_is_refused_with_those_that_there_are(compiled: CompiledExperiment) -> None:
    with pytest.raises(PipelineError) as raised:
        select_tasks(compiled, CellPattern.parse("target=c"))
    (problem,) = raised.value.problems
    assert problem.message == "no cell has target=c"
    assert [text for text, _ in problem.notes] == ["target: a, b"]
