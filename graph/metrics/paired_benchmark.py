"""Measures two plans on one machine at the same time, so that its moods fall on both alike."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import torch

from .. import random
from ..pipeline import Plan
from ..runtime.session import Session
from ..runtime.timing import Timing

_LEAST_BLOCKS = 5
"""Blocks that each plan runs however slow it is: a median needs some."""


def measure(a: Plan, b: Plan, seconds: float = 2.0) -> tuple[dict[str, Timing], dict[str, Timing]]:
    """Runs both plans on noise in turns, each for about ``seconds`` of compute time.

    Workers are off, so that the time of a node is its own.

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
    """One of the two, and how long it has run."""

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
