"""Training loop: optimization steps until a budget is spent, with checkpoints to resume from."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch

from voicegraph.graph.files.atomic_write import atomic_write

from .interrupts import defer_interrupts
from .progress import ProgressCallback, progress_bar

_CHECKPOINT_EVERY = 100
"""Steps between checkpoints."""
_BAR = 1000
"""Length of the progress bar."""
_WARM_UP_STEPS, _CONSTANT_SHARE, _FINAL_FACTOR = 100, 0.3, 0.05
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Budget:
    """How long training goes on: for a wall-clock time, or for a number of steps if given.

    Steps give the same weights on every run of one machine; minutes depend on its speed.
    """

    minutes: float
    steps: int | None = None

    def progress(self, step: int, seconds: float) -> float:
        """0 at the beginning, 1 at the end."""
        return step / self.steps if self.steps else seconds / (60 * self.minutes)


def learning_rate_factor(step: int, progress: float) -> float:
    """Learning rate schedule: linear warm-up, constant, then cosine decay to 5 %.

    Args:
        step: steps done.
        progress: share of the budget that is spent.
    """
    warm_up = min(1.0, (step + 1) / _WARM_UP_STEPS)
    decay = max(0.0, min(1.0, (progress - _CONSTANT_SHARE) / (1 - _CONSTANT_SHARE)))
    cosine = (1 + math.cos(math.pi * decay)) / 2
    return warm_up * (_FINAL_FACTOR + (1 - _FINAL_FACTOR) * cosine)


class Stateful(Protocol):
    """A network or an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """Its tensors and numbers."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object:
        """Takes them over."""
        ...


class TrainingLoop(ABC, Generic[Outcome]):
    """Trains until the budget is spent. Ctrl-C waits for the end of a step, and saves it.

    Subclasses say what a step does (:meth:`optimize`), what a checkpoint holds (:meth:`parts`),
    and how held-out speech is evaluated (:meth:`validate_and_log`). They call :meth:`restore` at
    the end of their ``__init__``.

    Args:
        title: of the progress bar.
        budget: how long.
        checkpoint: the file; training resumes from it if it exists.

    Attributes:
        step: steps done.
        seconds: wall-clock time of these steps.
        core_seconds: processor time of these steps, of all processes together; None if the
            checkpoint of an earlier version does not hold it.
    """

    counters: ClassVar[tuple[str, ...]] = ("step", "seconds", "core_seconds")
    """Attributes that a checkpoint holds beside the parts."""
    validate_every: ClassVar[int | None] = None
    """Steps between validations; None validates at the end only."""
    device = torch.device("cpu")
    processes = 1
    """Processes that train together, each on a batch of its own."""
    is_main = True
    """Whether this process writes files and shows progress."""

    def __init__(self, title: str, budget: Budget, checkpoint: Path) -> None:
        self.title, self.budget, self.checkpoint = title, budget, checkpoint
        self.step, self.seconds = 0, 0.0
        self.core_seconds: float | None = 0.0

    @abstractmethod
    def parts(self) -> Mapping[str, Stateful]:
        """Networks and optimizers by their names in the checkpoint."""

    @abstractmethod
    def optimize(self, progress: float) -> Outcome:
        """One step of the optimizers; ``progress`` is the share of the budget spent before it."""

    @abstractmethod
    def remark(self, outcome: Outcome) -> str:
        """The outcome of a step, for the progress bar."""

    @abstractmethod
    def validate_and_log(self, outcome: Outcome | None) -> dict[str, float]:
        """Evaluates held-out speech; ``outcome`` is the last step's, None at the end."""

    def run(self) -> dict[str, float]:
        """Trains to the end of the budget, and gives the figures of held-out speech.

        Raises:
            KeyboardInterrupt: after Ctrl-C, when the checkpoint is saved.
        """
        try:
            self._run()
        except KeyboardInterrupt:
            self.save()
            raise
        self.save()
        return self.validate_and_log(None)

    def _run(self) -> None:
        progress = self.progress()
        with self._bar(progress) as tell:
            while progress < 1:
                with defer_interrupts():
                    outcome = self.timed_step(progress)
                progress = self.progress()
                done = round(_BAR * min(progress, 1))
                tell(f"step {self.step}, {self.remark(outcome)}", done)
                if self.validate_every and self.step % self.validate_every == 0:
                    self.validate_and_log(outcome)
                if self.step % _CHECKPOINT_EVERY == 0:
                    self.save()

    def _bar(self, progress: float) -> AbstractContextManager[ProgressCallback]:
        if self.is_main:
            return progress_bar(self.title, _BAR, round(_BAR * min(progress, 1)))
        return nullcontext(lambda _remark, _done: None)

    def progress(self) -> float:
        """Share of the budget that is spent; 1 and more at the end."""
        return self.budget.progress(self.step, self.seconds)

    def timed_step(self, progress: float) -> Outcome:
        """One step; its time counts towards the budget, that of validation does not."""
        start, computed = time.monotonic(), time.process_time()
        outcome = self.optimize(progress)
        self.step += 1
        self.seconds += time.monotonic() - start
        if self.core_seconds is not None:
            self.core_seconds += (time.process_time() - computed) * self.processes
        return outcome

    def save(self) -> None:
        """Writes the checkpoint."""
        if not self.is_main:
            return
        held: dict[str, Any] = {name: part.state_dict() for name, part in self.parts().items()}
        held |= {name: getattr(self, name) for name in self.counters}
        with atomic_write(self.checkpoint, force=True) as path:
            torch.save(held, path)

    def restore(self) -> None:
        """Resumes from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        held = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(held[name])
        for name in self.counters:
            setattr(self, name, held.get(name))


def append_log(log: Path, values: Mapping[str, object]) -> None:
    """Appends a JSON line."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
