"""Adversarial fine-tuning after training: discriminators make synthesized speech less dull.

The spectral loss alone yields an average of the possible spectral envelopes, which sounds muffled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from ..common.training_loop import Budget, Stateful, TrainingLoop
from ._dataset import HOP
from ._discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from ._losses import spectral_loss
from .train import SETTLING, VoiceTraining, optimizer_step, render

PIECES, FRAMES = 4, 96
"""A batch: 4 pieces of 0.96 s."""
_LEARNING_RATE, _DISCRIMINATORS_RATE = 2e-4, 4e-4
_SPECTRAL, _ADVERSARIAL, _FEATURES = 3.0, 0.3, 1.5
"""Weights of the terms of the generator's loss."""
_DISCRIMINATORS_ONLY = 50
"""Steps in which the discriminators learn before they count in the generator's loss."""
_FIRST_BATCH = 1 << 20
"""Number of the first batch, so that batches differ from those of the training."""


class Losses(NamedTuple):
    """Of one step."""

    spectral: float
    features: float


class AdversarialFinetuning(TrainingLoop[Losses]):
    """Fine-tunes the network of a finished training; can be interrupted and resumed.

    Args:
        training: that has come to its end.
        budget: how long.
        pieces: in a batch.
        frames: of 10 ms in a piece.
    """

    counters = ("step", "seconds")

    def __init__(
        self, training: VoiceTraining, budget: Budget, pieces: int = PIECES, frames: int = FRAMES
    ) -> None:
        super().__init__("polish", budget, training.workdir.finetuning_checkpoint)
        self.training = training
        self.pieces, self.frames = pieces, frames
        self.network = training.network
        torch.manual_seed(training.training_set.seed)
        self.discriminators = Discriminators()
        betas = (0.8, 0.99)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), _LEARNING_RATE, betas)
        self.discriminators_optimizer = torch.optim.AdamW(
            self.discriminators.parameters(), _DISCRIMINATORS_RATE, betas
        )
        self.restore()

    def parts(self) -> Mapping[str, Stateful]:
        """Generator, discriminators and their optimizers."""
        return {
            "network": self.network,
            "critics": self.discriminators,
            "optimizer": self.optimizer,
            "critics_optimizer": self.discriminators_optimizer,
        }

    def run(self) -> dict[str, float]:
        """Fine-tunes to the end of the budget; gives the losses on held-out speech."""
        self.network.train()
        return super().run()

    def optimize(self, progress: float) -> Losses:
        """One step of the discriminators, then one of the generator."""
        number = _FIRST_BATCH + self.step
        batch = self.training.training_set.batch(number, self.pieces, self.frames)
        skip = SETTLING * HOP
        made = render(self.network, batch, number)[:, skip:]
        wanted = batch.audio[:, skip:]
        self._train_discriminators(wanted, made.detach())
        self.discriminators.requires_grad_(False)
        synthesized, real = self.discriminators(made), self.discriminators(wanted)
        self.discriminators.requires_grad_(True)
        spectral, features = spectral_loss(made, wanted), feature_matching_loss(real, synthesized)
        enabled = float(self.step >= _DISCRIMINATORS_ONLY)
        adversarial = _ADVERSARIAL * generator_loss(synthesized) + _FEATURES * features
        loss = _SPECTRAL * spectral + enabled * adversarial
        optimizer_step(loss, self.optimizer, self.network)
        return Losses(float(spectral.detach()), float(features.detach()))

    def _train_discriminators(self, real: torch.Tensor, synthesized: torch.Tensor) -> None:
        loss = discriminator_loss(self.discriminators(real), self.discriminators(synthesized))
        optimizer_step(loss, self.discriminators_optimizer, self.discriminators)

    def remark(self, outcome: Losses) -> str:
        """The losses."""
        return f"loss {outcome.spectral:.3f}, features {outcome.features:.3f}"

    def validate_and_log(self, outcome: Losses | None) -> dict[str, float]:
        """Losses of the training on held-out speech; they are not logged."""
        return self.training.validate()

    def save(self) -> None:
        """Writes the checkpoint, and notes the steps for the voice's card."""
        super().save()
        self.training.finetuned_steps = self.step
