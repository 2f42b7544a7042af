"""Converts a sound file: time-aligned with the input, equally long, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from voicegraph.schemas.file_report import FileReport, SoundFile

from ...errors import OutputError, Problem, SignalError
from ...pipeline import Pipeline
from ...regular_file import name_problem
from ...runtime.session import Session
from ...signals import Audio
from ..atomic_write import AtomicFile
from ._conversion_chain import ConversionChain
from ._mixdown import MixdownMeter, mixdown_note, mixing_node
from ._output_shaping import OutputShaper
from ._tap_file import TapFile
from .input_conversion import ConversionPlan, planned
from .output_form import OutputForm
from .reader import AudioReader
from .writer import AudioWriter, decibels

Progress = Callable[[float, float | None], None]
"""Called with the seconds of input that are done, and the total seconds if known."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Optional files beside the output.

    Attributes:
        taps: port -> ``.npz`` file; see :class:`~voicegraph.graph.files.sound._tap_file.TapFile`.
        trace: a Chrome or Perfetto trace of every node at every tick, ``.json``.
        allow_write: folders in which a pipeline file may have files written; see ``Session``.
    """

    taps: Mapping[str, str | Path] = field(default_factory=dict)
    trace: str | Path | None = None
    allow_write: Sequence[str | Path] = ()


def convert_file(
    pipeline: Pipeline,
    source: str | Path,
    target: str | Path,
    *,
    form: OutputForm | None = None,
    force: bool = False,
    salvage: bool = False,
    select: Sequence[int] = (),
    extras: Extras | None = None,
    progress: Progress | None = None,
    plans: dict[Audio, ConversionPlan] | None = None,
) -> FileReport:
    """Converts one file.

    The output has ``round(frames * rate_out / rate_in)`` samples and is time-aligned with the
    input: the plan's algorithmic latency is removed. Ctrl-C (``KeyboardInterrupt``) finishes the
    output with what is converted so far, and the report says ``stopped``.

    Args:
        pipeline: what to run.
        source: any file that libsndfile reads.
        target: its extension decides the format.
        form: what is asked of the target's rate, channels and encoding.
        force: replace the target, and the files of ``extras``.
        salvage: convert what is left of a damaged source.
        select: channels of the source that are used, from 0; by default all.
        extras: what else to write.
        progress: called after each chunk.
        plans: plans by the type of the source, reused from file to file; new ones are added.

    Raises:
        InputError: if the source cannot be used.
        OutputError: if a file cannot be written; then nothing is left behind.
        PipelineError: if the pipeline does not compile, or its output is not audio.
        SignalError: if NaN or infinity appears and the pipeline's policy is ``error``.
        KeyboardInterrupt: if it comes before there is any output.
    """
    with _final_names() as names, ExitStack() as stack:
        reader = stack.enter_context(AudioReader(source, salvage=salvage, select=select))
        run = _Run(stack, reader, planned(pipeline, reader.type, plans))
        run.open(Path(target), form or OutputForm(), force, extras or Extras())
        if run.trace is not None:
            names[str(run.trace.temporary)] = str(run.trace.target)
        run.stream(progress)
        run.commit()
        return run.report()


_WARM_UP_PAYS = 40
"""Blocks that a file must have for a warm-up to be worth its time."""


class _Run:
    """One conversion: open files and progress. The stack cleans up in any case."""

    def __init__(self, stack: ExitStack, reader: AudioReader, plan: ConversionPlan) -> None:
        self.stack = stack
        self.reader = reader
        self.plan = plan
        self.taps: dict[str, TapFile] = {}
        self.trace: AtomicFile | None = None
        self.took = 0.0
        self.stopped = False
        self.mixing = mixing_node(plan)
        self.meter = MixdownMeter(reader.type.channels)

    def open(self, target: Path, form: OutputForm, force: bool, extras: Extras) -> None:
        """Opens all files, so that errors that can be known in advance come first."""
        _check_targets(self.reader.path, target, *extras.taps.values(), extras.trace)
        frames = self.reader.frames
        kind = form.applied(self.plan.output)
        length = None if frames is None else round(frames * kind.rate / self.reader.type.rate)
        self.writer = AudioWriter(target, kind, form=form, force=force, frames=length)
        self.shaper = OutputShaper(self.plan.output, kind)
        self.stack.callback(self.writer.discard)
        for port, path in extras.taps.items():
            self.taps[port] = TapFile(self.plan.plan, port, path, force=force)
            self.stack.callback(self.taps[port].discard)
        if extras.trace is not None:
            self.trace = AtomicFile(Path(extras.trace), force=force)
            self.stack.callback(self.trace.discard)
        self.session = self._session(extras.allow_write)
        self.chain = ConversionChain(
            self.stack, self.plan, self.session, tuple(self.taps), self._add_tapped
        )

    def _session(self, allow_write: Sequence[str | Path]) -> Session:
        plan, seconds = self.plan.plan, self.reader.seconds
        trace = self.trace.temporary if self.trace else None
        # Warming up and choosing workers take as long as one or two dozen blocks.
        pays = seconds is None or seconds > _WARM_UP_PAYS * plan.block
        return self.stack.enter_context(
            plan.session(trace=trace, warm_up=pays, allow_write=allow_write)
        )

    def _add_tapped(self, port: str, ticks: object) -> None:
        self.taps[port].add(ticks)  # pyright: ignore[reportArgumentType]

    def stream(self, progress: Progress | None) -> None:
        """Converts chunk by chunk until the file ends, or Ctrl-C."""
        begun = perf_counter()
        rate = float(self.reader.type.rate)
        try:
            for chunk in self.reader:
                if self.mixing is not None:
                    self.meter.add(chunk)
                self._write(self.chain.push(chunk))
                if progress is not None:
                    progress(self.reader.taken / rate, self.reader.seconds)
            self._drain()
        except KeyboardInterrupt:
            if not self.writer.frames:
                raise
            self.stopped = True
        except SignalError as error:
            raise SignalError(_located(p, self.reader.path) for p in error.problems) from None
        self.took = perf_counter() - begun

    def _write(self, samples: np.ndarray) -> None:
        self.writer.write(self.shaper.push(samples))

    def _drain(self) -> None:
        """Flushes the sessions in turn, and cuts the output to the length of the input."""
        taken, source = self.reader.taken, self.reader.type
        for made in self.chain.finish(taken, source):
            self._write(made)
        for made in self.shaper.finish(round(taken * self.writer.type.rate / source.rate)):
            self.writer.write(made)

    def commit(self) -> None:
        """Finishes all files, then renames them."""
        self.session.close()
        for tap in self.taps.values():
            tap.finish()
        self.writer.commit()
        for tap in self.taps.values():
            tap.commit()
        if self.trace is not None:
            self.trace.commit()

    def report(self) -> FileReport:
        """The report about the conversion."""
        plan, reader, writer = self.plan.plan, self.reader, self.writer
        seconds = reader.taken / float(reader.type.rate)
        mixdown = mixdown_note(self.meter, self.mixing)
        notes = (*self.plan.notes, *self.session.notes, *reader.notes)
        if mixdown is not None:
            notes = (*notes, mixdown)
        return FileReport(
            pipeline=plan.name,
            plan=plan.hash,
            source=_sound(reader.path, reader.encoding, reader.type, reader.taken),
            target=_sound(writer.path, str(writer.encoding), writer.type, writer.frames),
            latency_ms=float(1000 * sum(plan.latency.algorithmic for plan in self.plan.plans)),
            process_s=self.took,
            real_time_factor=self.took / seconds if seconds else 0.0,
            peak_db=decibels(writer.peak),
            clipped=writer.clipped,
            silenced_blocks=self.chain.silenced,
            stopped=self.stopped,
            taps={port: str(tap.path) for port, tap in self.taps.items()},
            trace=str(self.trace.target) if self.trace else None,
            notes=notes,
        )


@contextmanager
def _final_names() -> Iterator[dict[str, str]]:
    """Errors in the block name files by their final names: temporary name -> final name."""
    names: dict[str, str] = {}
    try:
        yield names
    except OutputError as error:
        for temporary, final in names.items():
            problems = [
                replace(p, message=p.message.replace(temporary, final)) for p in error.problems
            ]
            error = OutputError(problems)
        raise error from None


def _sound(path: Path, encoding: str, kind: Audio, frames: int) -> SoundFile:
    return SoundFile(
        path=str(path),
        encoding=encoding,
        rate_hz=int(kind.rate),
        channels=kind.channels,
        frames=frames,
        seconds=frames / float(kind.rate),
    )


def _check_targets(source: Path, *targets: str | Path | None) -> None:
    """Refuses to write over the input, even with ``force``, or two outputs to one file."""
    named = [Path(target) for target in targets if target is not None]
    for target in named:
        if (problem := name_problem(target)) is not None:
            raise OutputError(problem)
        if target.exists() and target.samefile(source):
            text = f"{target} is the input itself, and would be overwritten"
            fix = str(target.with_name(f"{target.stem}.converted{target.suffix}"))
            raise OutputError(Problem("in-place", text, fix=fix))
    resolved = [target.resolve() for target in named]
    twice = [target for target in named if resolved.count(target.resolve()) > 1]
    if twice:
        text = f"two outputs would be written to {twice[0]}"
        raise OutputError(Problem("same-output", text, fix="give each another name"))


def _located(problem: Problem, path: Path) -> Problem:
    notes = (*problem.notes, (f"while converting {path}", None))
    return Problem(problem.code, problem.message, problem.mark, notes, problem.fix)
