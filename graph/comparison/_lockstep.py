"""Runs two plans in turns on the same sound, a block of each, and measures their compute times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import perf_counter_ns, process_time_ns

import numpy as np
import torch

from ..errors import NodeFailedError, Problem, VoicegraphError
from ..intervals import Interval
from ..pipeline import Plan
from ..ports import PortRef, PortSpec
from ..runtime.port_series import PortRecorder, PortSeries
from ..runtime.session import Session

OUTPUT = "output"
"""The name of the pipeline's output among the ports."""


@dataclass(slots=True)
class BlockTimes:
    """Nanoseconds of every block, without those that only fetch the end of a clip."""

    cpu: list[int] = field(default_factory=list)
    wall: list[int] = field(default_factory=list)


class Side:
    """One of the two pipelines: its session, what it gave, and how long it took.

    Args:
        label: ``A`` or ``B``.
        name: its name in messages.
        plan: what runs.
        taps: ports that are recorded beside the output.
        threads: of PyTorch, if the pipeline does not say.
    """

    def __init__(
        self, label: str, name: str, plan: Plan, taps: Sequence[PortRef], threads: int
    ) -> None:
        self.label, self.name, self.plan = label, name, plan
        self.times = BlockTimes()
        self.threads = plan.settings.threads or threads
        # No workers: CPU time is measured, and values do not depend on them. No warm-up: medians do
        # not see the first blocks, and with large models it takes longer than a short clip.
        self.session: Session = plan.session(warm_up=False, workers=False, write_files=False)
        self.recorders = {OUTPUT: PortRecorder(_output_spec(plan), plan.block)}
        self.recorders |= {str(ref): PortRecorder(plan.spec(ref), plan.block) for ref in taps}
        self._taps = tuple(taps)
        self._input = torch.zeros(0)
        self._given = self._wanted = self._counted = 0

    def begin(self, samples: np.ndarray) -> None:
        """Starts anew on ``[channels, samples]``."""
        self.session.reset()
        size, block = self.plan.samples_in, self.plan.block
        seconds = samples.shape[1] / self.plan.source.rate
        lag = max(0, *(recorder.lag for recorder in self.recorders.values()))
        self._counted = int(seconds / block)
        self._wanted = math.ceil((seconds + lag) / block)
        padded = np.zeros((1, len(samples), self._wanted * size), np.float32)
        padded[0, :, : samples.shape[1]] = samples
        self._input = torch.from_numpy(padded)
        self._given = 0
        for recorder in self.recorders.values():
            recorder.clear()

    @property
    def finished(self) -> bool:
        """Whether all of the clip has come out."""
        return self._given >= self._wanted

    @property
    def position(self) -> Fraction:
        """Seconds of input so far."""
        return self._given * self.plan.block

    def step(self, clip: str) -> None:
        """Processes one block.

        Raises:
            SignalError: if a node fails, or a value is not finite; says which side and which clip.
        """
        size = self.plan.samples_in
        block = self._input[:, :, self._given * size : (self._given + 1) * size]
        try:
            self._process(block)
        except VoicegraphError as error:
            raise self._located(error, clip) from error.__cause__
        self._given += 1

    def _process(self, block: torch.Tensor) -> None:
        if torch.get_num_threads() != self.threads:  # the other side wants another count
            torch.set_num_threads(self.threads)
        wall, cpu = perf_counter_ns(), process_time_ns()
        made = self.session.process(block)
        cpu, wall = process_time_ns() - cpu, perf_counter_ns() - wall
        if self._given < self._counted:
            self.times.cpu.append(cpu)
            self.times.wall.append(wall)
        self.recorders[OUTPUT].add(made)
        for ref in self._taps:
            values = self.session.engine.value_of(ref, block)
            if not torch.isfinite(values).all():
                second = float((self._given + 1) * self.plan.block)
                text = f"{ref} gave NaN or infinity in block {self._given}, before {second:.3f} s"
                raise NodeFailedError(Problem("not-finite", text), ref.node)
            self.recorders[str(ref)].add(values)

    def _located(self, error: VoicegraphError, clip: str) -> VoicegraphError:
        note = (f"in {self.label}, {self.name}, on {clip}", None)
        problems = [replace(p, notes=(*p.notes, note)) for p in error.problems]
        if isinstance(error, NodeFailedError):
            return NodeFailedError(problems, error.node)
        return type(error)(problems)

    def series(self) -> dict[str, PortSeries]:
        """What came at every port."""
        return {port: recorder.series() for port, recorder in self.recorders.items()}


def _output_spec(plan: Plan) -> PortSpec:
    """The newest block of the output, which sessions return, as a stream."""
    end = -plan.latency.algorithmic
    span = Interval(end - plan.block, end)
    return PortSpec(plan.output_type, span, span, window=False)


def run_in_turns(a: Side, b: Side, clip: str, samples: tuple[np.ndarray, np.ndarray]) -> None:
    """Runs both on a clip: whoever is behind in time processes its next block, A first.

    Raises:
        SignalError: if a node of either fails.
    """
    for side, given in zip((a, b), samples, strict=True):
        side.begin(given)
    while waiting := [side for side in (a, b) if not side.finished]:
        min(waiting, key=lambda side: side.position).step(clip)
