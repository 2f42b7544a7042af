"""Processes that train together: each on pieces of its own, with the mean of all gradients."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed

from voicegraph.training.common.interrupts import unheard


@dataclass(frozen=True, slots=True)
class Crew:
    """One of the processes.

    Attributes:
        part: its number, from 0.
        size: how many there are.
        device: on which it trains.
    """

    part: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """It speaks and writes for all."""
        return self.part == 0

    def average(self, learned: Sequence[torch.Tensor]) -> None:
        """The mean of the gradients of all processes, in each."""
        if self.size == 1:
            return
        held = [p.grad if p.grad is not None else torch.zeros_like(p) for p in learned]
        flat = torch.cat([grad.flatten() for grad in held])
        distributed.all_reduce(flat)
        flat /= self.size
        parts = flat.split([grad.numel() for grad in held])
        for parameter, part in zip(learned, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def agreed(self, done: float) -> float:
        """How far the first one is: its clock holds for all."""
        if self.size == 1:
            return done
        told = torch.tensor([done], dtype=torch.float64)
        distributed.broadcast(told, 0)
        return float(told)


@contextmanager
def gathered(size: int, device: torch.device, work: Callable[[Crew], object]) -> Iterator[Crew]:
    """This process as the first of a crew; the others do ``work`` meanwhile.

    The others do not hear Ctrl-C: they end when the first one does.
    """
    if size == 1:
        yield Crew(0, 1, device)
        return
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        others = [
            context.Process(target=_other, args=(part, size, device, meeting, work), daemon=True)
            for part in range(1, size)
        ]
        with unheard():
            for other in others:
                other.start()
        _meet(0, size, meeting)
        try:
            yield Crew(0, size, device)
        finally:
            for other in others:
                other.terminate()
                other.join()
            distributed.destroy_process_group()


def _other(
    part: int, size: int, device: torch.device, meeting: Path, work: Callable[[Crew], object]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    _meet(part, size, meeting)
    work(Crew(part, size, device))


def _meet(part: int, size: int, meeting: Path) -> None:
    distributed.init_process_group("gloo", init_method=meeting.as_uri(), rank=part, world_size=size)
