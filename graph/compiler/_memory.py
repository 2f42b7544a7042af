"""Last check: the memory that a plan takes, against the limit; see ``graph/memory_budget.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from voicegraph.schemas.pipeline import PipelineFile
from voicegraph.schemas.quantities import parse_duration

from ..errors import PipelineError, Problem, VoicegraphError
from ..loading.load import changed
from ..loading.model_fields import example
from ..loading.source_map import KeyPath, dotted
from ..loading.values import assignment
from ..memory_budget import over_limit, plan_memory
from ..plan import CompiledPlan, PlannedNode

if TYPE_CHECKING:
    from ..loading.load import LoadedPipeline

_BLOCKS = ("1s", "250ms", "100ms", "10ms")
_MOST_TRIES = 24

Candidate = tuple[KeyPath, str]
"""Path of a value, and another value for it in YAML."""


def check_memory(
    loaded: LoadedPipeline,
    plan: CompiledPlan,
    compile_again: Callable[[LoadedPipeline], CompiledPlan],
) -> None:
    """Refuses a plan that takes too much memory.

    Args:
        loaded: the loaded pipeline.
        plan: its plan.
        compile_again: compiles a pipeline without this check, to try corrections.

    Raises:
        PipelineError: with the node that takes most, and a value with which the plan fits.
    """
    sizes = plan_memory(plan)
    problem = over_limit(sizes, plan.name)
    if problem is None:
        return
    largest = next(iter(sizes))
    nodes = sorted(plan.nodes, key=lambda node: node.name != largest)
    for path, shown in islice(_candidates(loaded, nodes), _MOST_TRIES):
        if _fits(loaded, path, shown, compile_again):
            raise PipelineError(_with_fix(loaded, problem, path, shown))
    mark = loaded.source_map.value(("nodes", largest))
    raise PipelineError(replace(problem, mark=mark))


def _with_fix(loaded: LoadedPipeline, problem: Problem, path: KeyPath, shown: str) -> Problem:
    places = loaded.source_map
    mark = places.origin(path) or places.value(path)
    fix = assignment(dotted(_given_at(loaded, path)), shown, mark)
    return replace(problem, mark=places.value(path), fix=fix)


def _given_at(loaded: LoadedPipeline, path: KeyPath) -> KeyPath:
    """Where a value is given: the var, if it comes from one."""
    var = loaded.source_map.var(path)
    return ("vars", var) if var else path


def _fits(
    loaded: LoadedPipeline,
    path: KeyPath,
    shown: str,
    compile_again: Callable[[LoadedPipeline], CompiledPlan],
) -> bool:
    value: Any = int(shown) if shown.isdigit() else shown
    try:
        other = compile_again(changed(loaded, {dotted(_given_at(loaded, path)): value}))
    except VoicegraphError:
        return False
    return over_limit(plan_memory(other), other.name) is None


def _candidates(loaded: LoadedPipeline, nodes: list[PlannedNode]) -> Iterator[Candidate]:
    """Smaller values for what decides sizes, the most likely first."""
    file = loaded.file
    if file.block > 1:
        yield from _shorter_blocks(file)
    for node in nodes:
        yield from _smaller_params(node)
    if file.input.rate > 48000:
        yield ("input", "rate"), "48000"
    if file.input.channels > 1:
        yield ("input", "channels"), "1"
    if file.block <= 1:
        yield from _shorter_blocks(file)


def _shorter_blocks(file: PipelineFile) -> Iterator[Candidate]:
    yield from ((("block",), block) for block in _BLOCKS if parse_duration(block) < file.block)


def _smaller_params(node: PlannedNode) -> Iterator[Candidate]:
    """Params of a node that are larger than their default or example."""
    params = type(node.params)
    for name in params.model_fields:
        value = getattr(node.params, name)
        number = isinstance(value, (int, float, Fraction)) and not isinstance(value, bool)
        usual = example(params, (name,)) if number else None
        if usual is None or name in params.live_fields():
            continue
        try:
            smaller = getattr(
                params.model_validate({**node.params.model_dump(), name: usual}), name
            )
        except ValueError:
            continue
        if smaller < value:
            yield ("nodes", node.name, "params", name), usual
