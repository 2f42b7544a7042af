"""One sound file through a pipeline into another: aligned, as long, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from voicegraph.schemas.file_report import FileReport, SoundFile

from ...errors import OutputError, Problem, SignalError
from ...pipeline import Pipeline
from ...runtime.session import Session
from ...signals import Audio
from ..atomic_write import AtomicFile, cannot_write
from ._latency_compensation import LatencyCompensator
from ._tap_file import TapFile
from .input_conversion import Route, route
from .reader import AudioReader
from .writer import AudioWriter, decibels

Progress = Callable[[float, float | None], None]
"""Called now and then with the seconds of input that are done, and all seconds if known."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What may be kept beside the output.

    Attributes:
        taps: port -> ``.npz`` file; see :class:`~voicegraph.graph.files.sound._tap_file.TapFile`.
        trace: a Chrome/Perfetto trace of every node at every tick, ``.json``.
    """

    taps: Mapping[str, str | Path] = field(default_factory=dict)
    trace: str | Path | None = None


def convert_file(
    pipeline: Pipeline,
    source: str | Path,
    target: str | Path,
    *,
    subtype: str | None = None,
    force: bool = False,
    salvage: bool = False,
    extras: Extras | None = None,
    progress: Progress | None = None,
    routes: dict[Audio, Route] | None = None,
) -> FileReport:
    """Converts one file.

    The output has ``round(frames * rate_out / rate_in)`` samples, and sample for sample belongs to
    the time of the input: the plan's algorithmic latency is taken off. Ctrl-C
    (``KeyboardInterrupt``) finishes the output with what has been made, and the report says
    ``stopped``.

    Args:
        pipeline: what to run.
        source: any file libsndfile reads.
        target: the ending decides the format.
        subtype: encoding, such as ``pcm_16``; see ``AudioWriter``.
        force: replace the target, and the files of ``extras``.
        salvage: take what a damaged source still holds.
        extras: what else to write.
        progress: told how far it is.
        routes: plans by the type of the source, kept from file to file so that weights are loaded
            once; filled here.

    Raises:
        InputError: if the source cannot be used.
        OutputError: if a file cannot be written. Nothing is left behind.
        PipelineError: if the pipeline does not compile, or gives no audio.
        SignalError: if NaN or infinity appears and the pipeline's policy is ``error``.
        KeyboardInterrupt: if it came before any output was made.
    """
    with ExitStack() as stack:
        reader = stack.enter_context(AudioReader(source, salvage=salvage))
        run = _Run(stack, reader, _route(pipeline, reader.type, routes))
        run.open(Path(target), subtype, force, extras or Extras())
        try:
            run.stream(progress)
            run.commit()
        except OSError as error:  # the trace, whose writer says nothing of its own
            raise cannot_write(Path(target), error) from None
        return run.report()


def _route(pipeline: Pipeline, source: Audio, routes: dict[Audio, Route] | None) -> Route:
    if routes is None:
        return route(pipeline, source)
    if source not in routes:
        routes[source] = route(pipeline, source)
    return routes[source]


_WARM_UP_PAYS = 40
"""Blocks that a file must have for the session to be warmed up first."""


class _Run:
    """One conversion: what is open, and how far it is. The stack cleans up whatever happens."""

    def __init__(self, stack: ExitStack, reader: AudioReader, way: Route) -> None:
        self.stack = stack
        self.reader = reader
        self.way = way
        self.taps: dict[str, TapFile] = {}
        self.trace: AtomicFile | None = None
        self.took = 0.0
        self.stopped = False

    def open(self, target: Path, subtype: str | None, force: bool, extras: Extras) -> None:
        """Everything that can fail for a reason known beforehand fails here."""
        _check_targets(self.reader.path, target, *extras.taps.values(), extras.trace)
        frames = self.reader.frames
        length = None if frames is None else self.way.length(frames, self.reader.type)
        self.writer = AudioWriter(
            target, self.way.output, subtype=subtype, force=force, frames=length
        )
        self.stack.callback(self.writer.discard)
        for port, path in extras.taps.items():
            self.taps[port] = TapFile(self.way.plan, port, path, force=force)
            self.stack.callback(self.taps[port].discard)
        if extras.trace is not None:
            self.trace = AtomicFile(Path(extras.trace), force=force)
            self.stack.callback(self.trace.discard)
        self.session = self._session()
        self.chain = [LatencyCompensator(self.session, tuple(self.taps), self._tapped)]
        if self.way.front is not None:
            front = self.stack.enter_context(self.way.front.session())
            self.chain.insert(0, LatencyCompensator(front))

    def _session(self) -> Session:
        plan, seconds = self.way.plan, self.reader.seconds
        trace = self.trace.temporary if self.trace else None
        # Warming up and choosing workers takes as long as a dozen blocks or two.
        pays = seconds is None or seconds > _WARM_UP_PAYS * plan.block
        return self.stack.enter_context(plan.session(trace=trace, warm_up=pays))

    def _tapped(self, port: str, ticks: object) -> None:
        self.taps[port].add(ticks)  # pyright: ignore[reportArgumentType]

    def stream(self, progress: Progress | None) -> None:
        """Chunk by chunk until the file ends, or Ctrl-C."""
        begun = perf_counter()
        rate = float(self.reader.type.rate)
        try:
            for chunk in self.reader:
                self._pass(chunk)
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

    def _pass(self, samples: np.ndarray, first: int = 0) -> None:
        """Through the sessions of the chain from ``first`` on, into the file."""
        for link in self.chain[first:]:
            samples = link.push(samples)
        self.writer.write(samples)

    def _drain(self) -> None:
        """What is still inside comes out, session by session, cut to the length of the input."""
        taken, source = self.reader.taken, self.reader.type
        for index, link in enumerate(self.chain):
            last = link is self.chain[-1]
            kind = link.session.plan.output_type
            total = self.way.length(taken, source) if last else -(-taken * kind.rate // source.rate)
            for made in link.finish(int(total)):
                self._pass(made, index + 1)

    def commit(self) -> None:
        """Finishes all files, then gives them their names."""
        self.session.close()
        for tap in self.taps.values():
            tap.finish()
        self.writer.commit()
        for tap in self.taps.values():
            tap.commit()
        if self.trace is not None:
            self.trace.commit()

    def report(self) -> FileReport:
        """What was done."""
        plan, reader, writer = self.way.plan, self.reader, self.writer
        seconds = reader.taken / float(reader.type.rate)
        notes = (*self.way.notes, *self.session.notes, *reader.notes)
        return FileReport(
            pipeline=plan.name,
            plan=plan.hash,
            source=_sound(reader.path, reader.encoding, reader.type, reader.taken),
            target=_sound(writer.path, str(writer.format), writer.type, writer.frames),
            latency_ms=float(1000 * sum(plan.latency.algorithmic for plan in self.way.plans)),
            process_s=self.took,
            real_time_factor=self.took / seconds if seconds else 0.0,
            peak_db=decibels(writer.peak),
            clipped=writer.clipped,
            silenced_blocks=sum(link.session.nonfinite for link in self.chain),
            stopped=self.stopped,
            taps={port: str(tap.path) for port, tap in self.taps.items()},
            trace=str(self.trace.target) if self.trace else None,
            notes=notes,
        )


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
    """Nothing is written over the input, with ``force`` neither; nor two things into one file."""
    named = [Path(target) for target in targets if target is not None]
    for target in named:
        if target.exists() and target.samefile(source):
            text = f"{target} is the input itself, and would be lost"
            fix = str(target.with_name(f"{target.stem}.converted{target.suffix}"))
            raise OutputError(Problem("in-place", text, fix=fix))
    resolved = [target.resolve() for target in named]
    twice = [target for target in named if resolved.count(target.resolve()) > 1]
    if twice:
        text = f"two outputs would be written to {twice[0]}"
        raise OutputError(Problem("same-output", text, fix="give each a name of its own"))


def _located(problem: Problem, path: Path) -> Problem:
    notes = (*problem.notes, (f"while converting {path}", None))
    return Problem(problem.code, problem.message, problem.mark, notes, problem.fix)
