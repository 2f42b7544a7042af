"""Utterances in memory from which batches are drawn reproducibly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import torch

Utterance = TypeVar("Utterance")


class TrainingSet(Generic[Utterance]):
    """Draws utterances at random, in proportion to their lengths.

    Seed and key alone decide a draw, so an interrupted training resumes with the same batches.

    Args:
        utterances: to draw from.
        lengths: of the utterances, in any unit.
        features: ``[frames, dim]``, of which mean and standard deviation are kept.
        seed: of all draws.

    Attributes:
        mean, std: of the features, float32 ``[dim]``.
    """

    def __init__(
        self,
        utterances: list[Utterance],
        lengths: Sequence[int],
        features: np.ndarray,
        seed: int,
    ) -> None:
        self.utterances, self.seed = utterances, seed
        self.mean = torch.from_numpy(features.mean(0))
        self.std = torch.from_numpy(features.std(0))
        weights = np.array(lengths, float)
        self._weights = weights / weights.sum()

    def draw(self, count: int, *key: int) -> tuple[list[Utterance], np.random.Generator]:
        """Utterances, and the generator from which everything else of the batch is drawn.

        Args:
            count: how many; an utterance may come more than once.
            key: such as the step of the training.
        """
        random = np.random.default_rng([self.seed, *key])
        chosen = random.choice(len(self.utterances), count, p=self._weights)
        return [self.utterances[number] for number in chosen], random
