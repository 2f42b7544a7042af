"""The task of every worker process: load the data, and train."""

from __future__ import annotations

from ..common.training_loop import Budget
from ._dataset import load_datasets
from ._distributed import Worker
from ._recipes import RECIPES
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
        learned, held_out = load_datasets(self.workdir, self.seed)
        recipe = RECIPES[self.workdir.recipe]
        objective = recipe.objective(learned, held_out, worker.device)
        return EncoderTraining(self.workdir, learned, objective, worker, self.budget)

    def __call__(self, worker: Worker) -> None:
        """Trains in another process."""
        self.training(worker).run()
