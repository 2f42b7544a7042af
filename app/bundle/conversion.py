"""A sound file through a bundle: time-aligned with the input and equally long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.files.sound.writer import AudioWriter
from voicegraph.graph.signals import Audio
from voicegraph.schemas.bundle import BundleRunReport
from voicegraph.schemas.quantities import format_rate

from .folder import Bundle
from .ports import ref_of, spec_of
from .runtime import Runtime


def convert_file(
    bundle: Bundle,
    source: Path,
    target: Path,
    *,
    threads: int = 1,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> BundleRunReport:
    """Converts a sound file.

    Args:
        bundle: whose files have been checked.
        source: read in any rate and channel count; mixed and resampled as the bundle takes it.
        target: written at the bundle's output rate.
        threads: that each network may use.
        force: replace an existing file.
        progress: called with the share that is done.

    Raises:
        VoicegraphError: if the plan cannot be run, or a file cannot be read or written.
    """
    output = _output_type(bundle)
    samples, notes = read_for(bundle, source)
    runtime = Runtime(bundle, threads)
    kind = spec_of(bundle.plan.input).type
    total = round(samples.shape[1] / kind.rate * output.rate)
    begun = perf_counter()
    with AudioWriter(target, output, force=force, frames=total) as writer:
        for block in converted(runtime, samples, total):
            writer.write(block)
            if progress is not None:
                progress(writer.frames / total)
    return BundleRunReport(
        source=str(source),
        target=str(target),
        seconds=total / float(output.rate),
        compute_s=perf_counter() - begun,
        latency_ms=1000 * bundle.plan.latency / float(output.rate),
        notes=notes,
    )


def converted(runtime: Runtime, samples: np.ndarray, total: int) -> Iterator[np.ndarray]:
    """Blocks of output without the latency: ``total`` values in all.

    Args:
        runtime: at the beginning of a stream.
        samples: float32 ``[channels, samples]`` at the bundle's rate; silence follows.
        total: values of output, aligned with the input.
    """
    plan = runtime.bundle.plan
    size, late, given = plan.input.count, plan.latency, 0
    begin = 0
    while given < total:
        block = np.zeros((samples.shape[0], size), np.float32)
        part = samples[:, begin : begin + size]
        block[:, : part.shape[1]] = part
        begin += size
        made = runtime.tick(block)
        dropped = min(late, made.shape[1])
        late -= dropped
        made = made[:, dropped : dropped + total - given]
        given += made.shape[1]
        yield made


def read_for(bundle: Bundle, path: Path) -> tuple[np.ndarray, list[str]]:
    """A sound file as the bundle takes it, ``[channels, samples]``, and what was done to it.

    Raises:
        InputError: if it cannot be read, or has another number of channels, and the bundle takes
            more than one.
    """
    wanted = spec_of(bundle.plan.input).type
    assert isinstance(wanted, Audio)
    with AudioReader(path) as reader:
        found, samples = reader.type, np.concatenate(list(reader), 1)
    notes: list[str] = []
    if found.channels != wanted.channels:
        if wanted.channels != 1:
            text = f"{path} has {found.channels} channels; the bundle takes {wanted.channels}"
            raise InputError(Problem("wrong-channels", text))
        samples = samples.mean(0, keepdims=True, dtype=np.float32)
        notes.append(f"mixed from {found.channels} channels to one")
    if found.rate != wanted.rate:
        import soxr

        rates = float(found.rate), float(wanted.rate)
        samples = soxr.resample(np.ascontiguousarray(samples.T), *rates, "VHQ").T
        text = f"resampled as a whole from {format_rate(found.rate)} to {format_rate(wanted.rate)}"
        notes.append(
            f"{text}; `voicegraph run` does so block by block, and its blocks lie elsewhere"
        )
    return samples.astype(np.float32, copy=False), notes


def _output_type(bundle: Bundle) -> Audio:
    """Raises an InputError if the bundle's output is no audio."""
    ref = ref_of(bundle.plan.output)
    node = next(node for node in bundle.plan.nodes if node.name == ref.node)
    found = spec_of(node.outputs[ref.port]).type
    if not isinstance(found, Audio):
        text = f"the output of {bundle.folder} is {found}, which no sound file holds"
        raise InputError(Problem("no-audio", text))
    return Audio(Fraction(found.rate), found.channels)
