"""The task of every worker process: load the data, and train."""

from __future__ import annotations

from ..common import hama
from ..common.training_loop import Budget
from ._dataset import load_datasets
from ._distributed import Worker
from ._train import EncoderTraining
from ._workdir import EncoderWorkdir


class TrainingTask:
    """Loads the data and trains.

    It has a module of its own because a spawned process cannot import from ``__main__``.
    """

    def __init__(self, workdir: EncoderWorkdir, budget: Budget, seed: int) -> None:
        self.workdir, self.budget, self.seed = workdir, budget, seed

    def training(self, worker: Worker) -> EncoderTraining:
        """The training: a new one, or resumed from its checkpoint."""
        network = hama.network().to(worker.device)
        learned, held_out = load_datasets(self.workdir, self.seed)
        return EncoderTraining(self.workdir, learned, held_out, network, worker, self.budget)

    def __call__(self, worker: Worker) -> None:
        """Trains in another process."""
        self.training(worker).run()
