"""Paired benchmark: two plans alternate on one machine, so that its load affects both equally."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import torch

from .. import random
from ..pipeline import Plan
from ..runtime.session import Session
from ..runtime.timing import Timing

_LEAST_BLOCKS = 5
"""Minimum number of blocks of each plan, for a usable median."""


def measure(a: Plan, b: Plan, seconds: float = 2.0) -> tuple[dict[str, Timing], dict[str, Timing]]:
    """Runs both plans alternately on noise, each for about ``seconds`` of compute time.

    Worker threads are off, so that the times of nodes do not overlap.

    Raises:
        VoicegraphError: if a session cannot be opened.
    """
    with Session(a, workers=False) as one, Session(b, workers=False) as two:
        runs = [_Run(one, _noise(a)), _Run(two, _noise(b))]
        while waiting := [r for r in runs if r.spent < seconds or r.blocks < _LEAST_BLOCKS]:
            min(waiting, key=lambda run: run.spent).step()
        return dict(one.timings()), dict(two.timings())


@dataclass(slots=True)
class _Run:
    """The session of one plan, and its compute time so far in seconds."""

    session: Session
    noise: torch.Tensor
    spent: float = 0.0
    blocks: int = 0

    def step(self) -> None:
        begun = perf_counter()
        self.session.process(self.noise)
        self.spent += perf_counter() - begun
        self.blocks += 1


def _noise(plan: Plan) -> torch.Tensor:
    """One block of noise at -20 dB."""
    shape = (1, plan.source.channels, plan.samples_in)
    values = random.normal(0, "noise", 0, 0, plan.source.channels * plan.samples_in)
    return torch.from_numpy(values).view(shape) * 0.1
