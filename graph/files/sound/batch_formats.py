"""Settles the formats of a folder's outputs before the first file is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import InputError, OutputError, Problem
from ...pipeline import Pipeline
from ...signals import Audio
from .batch import Batch, Job, check_unique_targets
from .input_conversion import ConversionPlan, planned
from .output_form import OutputForm, encoding_for
from .reader import AudioReader

_FALLBACK = ".wav"
"""Holds every rate and channel count."""


@dataclass(slots=True)
class _Settling:
    pipeline: Pipeline
    form: OutputForm
    select: Sequence[int]
    plans: dict[Audio, ConversionPlan]
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)


def settle_formats(
    batch: Batch,
    pipeline: Pipeline,
    form: OutputForm,
    select: Sequence[int],
    plans: dict[Audio, ConversionPlan],
) -> Batch:
    """Checks that the format of every output can hold what the pipeline makes of its input.

    An output that has the format of its input by default becomes WAV where that cannot hold it.

    Args:
        batch: the files.
        pipeline: what they go through.
        form: what is asked of the outputs.
        select: channels of the inputs that are used, from 0.
        plans: plans by type of the source; new ones are added.

    Raises:
        OutputError: if a format that was asked for cannot hold its output, once for each kind of
            problem; or if two inputs would share an output.
        PipelineError: if the pipeline does not compile.
    """
    settling = _Settling(pipeline, form, select, plans)
    jobs = [_settled(settling, job, batch.own_formats) for job in batch.jobs]
    if settling.problems:
        raise OutputError(settling.problems.values())
    check_unique_targets(jobs)
    return replace(batch, jobs=tuple(jobs))


def _settled(settling: _Settling, job: Job, own_formats: bool) -> Job:
    try:
        with AudioReader(job.source, salvage=True, select=settling.select) as reader:
            source = reader.type
    except InputError:
        return job  # its conversion will say why
    output = planned(settling.pipeline, source, settling.plans).output
    try:
        kind = settling.form.applied(output)
        encoding_for(job.target, kind, settling.form)
    except OutputError as error:
        return _changed(settling, job, own_formats, output, error.problems[0])
    return job


def _changed(
    settling: _Settling, job: Job, own_formats: bool, output: Audio, problem: Problem
) -> Job:
    """The job with another format, if it may have one; else the problem is noted."""
    fallback = job.target.with_suffix(_FALLBACK)
    if own_formats and job.target != fallback and _fits(fallback, output, settling.form):
        reason = problem.message.removeprefix(f"{job.target}: ")
        keeps = (problem.fix or "").split(", or ")[0]
        note = f"written as WAV: {reason}; {keeps} keeps the format of the input"
        return replace(job, target=fallback, note=note)
    key = (problem.code, problem.message.removeprefix(f"{job.target}: "))
    fix = (problem.fix or "").replace(f"write {fallback}", "--format wav") or None
    settling.problems.setdefault(key, replace(problem, fix=fix))
    return job


def _fits(path: Path, output: Audio, form: OutputForm) -> bool:
    try:
        encoding_for(path, form.applied(output), form)
    except OutputError:
        return False
    return True
