"""The compiler: from a loaded pipeline to a static plan; see ``docs/design.md``, "Compiling".

All problems of a phase are reported together. Compiling is pure: it reads headers of model files
and what identifies a model, hashes the files, and loads no weights. It gives the same plan every
time, on every machine that has enough memory.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ..errors import PipelineError, Problem, Problems
from ..file_contents import read_contents
from ..plan import CompiledPlan
from ..signals import Audio
from ._assemble import P, assemble
from ._infer_types import infer_types
from ._memory import check_memory
from ._order import order
from ._placement import place
from ._rates import check_rates
from ._resolve import resolve
from ._rewire import adapt_input, adapt_output, bypass, drop_incomplete, prune
from ._schedule import schedule
from .node_ir import CompileContext
from .provenance import check_provenance

if TYPE_CHECKING:
    from ..loading.load import LoadedPipeline


def compile_pipeline(
    loaded: LoadedPipeline,
    source: Audio | None = None,
    target: Audio | None = None,
    latency: Fraction = Fraction(0),
    plan_type: type[P] = CompiledPlan,
) -> P:
    """Compiles a pipeline.

    Args:
        loaded: the loaded pipeline file.
        source: type of the input audio; by default what the file declares. Another type is
            converted by nodes that the plan shows.
        target: type of the output audio, reached by nodes that the plan shows; None leaves it.
        latency: minimum algorithmic latency in seconds; a smaller one is increased to it.
        plan_type: the class of the plan to make.

    Raises:
        PipelineError: with every problem of the first phase that found any.
    """

    def compile_once(loaded: LoadedPipeline) -> P:
        plan = _compile(loaded, source, None, latency, plan_type)
        if target is None or plan.output_type == target:
            return plan
        made = plan.output_type
        if not isinstance(made, Audio):
            raise PipelineError(_not_audio(loaded, plan))
        return _compile(loaded, source, (made, target), latency, plan_type)

    plan = compile_once(loaded)
    check_memory(loaded, plan, compile_once)
    plan.target, plan.held = target, latency
    plan.files = read_contents({k: v for p in plan.nodes for k, v in p.files.items()})
    return plan


def _compile(
    loaded: LoadedPipeline,
    source: Audio | None,
    ends: tuple[Audio, Audio] | None,
    latency: Fraction,
    plan_type: type[P],
) -> P:
    declared = Audio(loaded.file.input.rate, loaded.file.input.channels)
    found = Problems(found=list(loaded.problems))
    context = CompileContext(loaded, found, source or declared, min_latency=latency)
    resolve(context)
    bypass(context)
    if context.problems.found:
        drop_incomplete(context)  # continue with the rest, to find further mistakes
        adapt_input(context)
    else:
        adapt_input(context)
        prune(context)
    if ends is not None:
        adapt_output(context, *ends)
    place(context)
    if loaded.types_known:
        infer_types(context)
        check_provenance(context)
        check_rates(context)
    context.problems.raise_if_any()
    schedule(context)
    return assemble(context, order(context), plan_type)


def _not_audio(loaded: LoadedPipeline, plan: CompiledPlan) -> Problem:
    text = f"{plan.name} gives {plan.output_type}, but a loudspeaker takes audio"
    mark = loaded.source_map.value(("output",))
    return Problem("output-not-audio", text, mark, fix="name an audio output")
