"""Data-parallel training: each process has its own batches; gradients are averaged."""

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

from voicegraph.training.common.interrupts import ignore_interrupts


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the processes.

    Attributes:
        rank: its number, from 0.
        world_size: how many there are.
        device: on which it trains.
    """

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether it writes files and shows progress."""
        return self.rank == 0

    def average_gradients(self, learned: Sequence[torch.Tensor]) -> None:
        """Replaces the gradients by the mean over all processes."""
        if self.world_size == 1:
            return
        held = [p.grad if p.grad is not None else torch.zeros_like(p) for p in learned]
        flat = torch.cat([grad.flatten() for grad in held])
        distributed.all_reduce(flat)
        flat /= self.world_size
        parts = flat.split([grad.numel() for grad in held])
        for parameter, part in zip(learned, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def broadcast(self, value: float) -> float:
        """The main process's value, in every process."""
        if self.world_size == 1:
            return value
        held = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(held, 0)
        return float(held)


@contextmanager
def worker_group(
    size: int, device: torch.device, work: Callable[[Worker], object]
) -> Iterator[Worker]:
    """Gives this process as the main worker; the others call ``work`` meanwhile.

    The others ignore Ctrl-C; they are terminated at the end of the block.
    """
    if size == 1:
        yield Worker(0, 1, device)
        return
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        others = [
            context.Process(target=_run, args=(rank, size, device, meeting, work), daemon=True)
            for rank in range(1, size)
        ]
        with ignore_interrupts():
            for other in others:
                other.start()
        _join(0, size, meeting)
        try:
            yield Worker(0, size, device)
        finally:
            for other in others:
                other.terminate()
                other.join()
            distributed.destroy_process_group()


def _run(
    rank: int, size: int, device: torch.device, meeting: Path, work: Callable[[Worker], object]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    _join(rank, size, meeting)
    work(Worker(rank, size, device))


def _join(rank: int, size: int, meeting: Path) -> None:
    distributed.init_process_group("gloo", init_method=meeting.as_uri(), rank=rank, world_size=size)
