"""What every process of a crew does."""

from __future__ import annotations

from voicegraph.training.voice.train import Budget

from ..common import hama
from ._dataset import collected
from ._distributed import Crew
from ._train import Training
from ._workdir import Place


class Task:
    """Brings the material, and trains along.

    In a module of its own: a process that is begun cannot find what lies in a ``__main__``.
    """

    def __init__(self, place: Place, budget: Budget, seed: int) -> None:
        self.place, self.budget, self.seed = place, budget, seed

    def training(self, crew: Crew) -> Training:
        """The training as far as it is."""
        network = hama.network().to(crew.device)
        learned, held_out = collected(self.place, self.seed)
        return Training(self.place, learned, held_out, network, crew, self.budget)

    def __call__(self, crew: Crew) -> None:
        """Trains along."""
        self.training(crew).run()
