"""The task of every worker process: load the data, and train."""

from __future__ import annotations

from pathlib import Path

from voicegraph.nodes.content.phonetic_file import load_phonetic

from ..common import hama
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

    def __init__(
        self, workdir: EncoderWorkdir, budget: Budget, seed: int, first: Path | None
    ) -> None:
        self.workdir, self.budget, self.seed, self.first = workdir, budget, seed, first

    def training(self, worker: Worker) -> EncoderTraining:
        """The training: a new one, or resumed from its checkpoint."""
        recipe = RECIPES[self.workdir.recipe]
        learned, held_out = load_datasets(self.workdir, self.seed, recipe.odds)
        first = load_phonetic(self.first) if self.first else hama.network()
        objective = recipe.objective(learned, held_out, first, worker.device)
        return EncoderTraining(
            self.workdir, learned, objective, worker, self.budget, recipe.learning_rate
        )

    def __call__(self, worker: Worker) -> None:
        """Trains in another process."""
        self.training(worker).run()
