"""The step train: the source-filter network learns to synthesize speech in this voice."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from voicegraph.nodes.synth.pulse_train import pulse_train
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.source_filter_card import SourceFilterSizes

from ..common.training_loop import (
    Budget,
    Stateful,
    TrainingLoop,
    append_log,
    learning_rate_factor,
)
from ._dataset import CONTEXT, HOP, VoiceBatch, VoiceTrainingSet, VoiceUtterance, cut_piece
from ._features import CLEAN_WHOLE, PERTURBED_STREAM, PERTURBED_WHOLE
from ._losses import spectral_loss
from .workdir import RATE, Workdir

PIECES, FRAMES = 8, 128
"""A batch: 8 pieces of 1.28 s."""
SETTLING = 20
"""Frames at the beginning of a piece that the loss leaves out: the filters have no history yet."""
_LEARNING_RATE = 8e-4
_MAX_GRADIENT_NORM = 5.0


def render(network: SourceFilterNetwork, batch: VoiceBatch, seed: int) -> torch.Tensor:
    """Synthesizes a batch.

    Args:
        network: that makes the spectral envelopes.
        batch: its conditions.
        seed: of the noise and of the first phase of each piece.

    Returns:
        Audio ``[pieces, frames * hop]``.
    """
    generator = torch.Generator().manual_seed(seed)
    # From one frame before the first rendered frame to one after the last.
    f0 = batch.f0[:, CONTEXT - 1 : batch.f0.shape[1] - CONTEXT + 1].double()
    phase = torch.rand(len(f0), generator=generator, dtype=torch.float64)
    pulses, _ = pulse_train(f0, phase, HOP, RATE)
    noise = torch.randn(pulses.shape, generator=generator)
    controls = network.controls(batch.content, batch.f0, batch.level)
    return network(controls, torch.stack((pulses, noise), 1))


class VoiceTraining(TrainingLoop[float]):
    """Trains the network of a voice with the spectral loss; can be interrupted and resumed.

    Args:
        workdir: of the voice; training resumes from the checkpoint in it.
        training_set: to learn from.
        held_out: utterances for validation.
        budget: how long.
        sizes: of the network.
        pieces: in a batch.
        frames: of 10 ms in a piece.

    Attributes:
        finetuned_steps: steps of adversarial fine-tuning that came after.
    """

    validate_every = 300

    def __init__(
        self,
        workdir: Workdir,
        training_set: VoiceTrainingSet,
        held_out: list[VoiceUtterance],
        budget: Budget,
        sizes: SourceFilterSizes,
        pieces: int = PIECES,
        frames: int = FRAMES,
    ) -> None:
        super().__init__("train", budget, workdir.checkpoint)
        self.pieces, self.frames = pieces, frames
        self.workdir, self.training_set, self.held_out = workdir, training_set, held_out
        torch.manual_seed(training_set.seed)
        self.network = SourceFilterNetwork(sizes)
        self.network.content_mean.copy_(training_set.mean)
        self.network.content_scale.copy_(1 / training_set.std.clamp_min(1e-3))
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=_LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.finetuned_steps = 0
        self.restore()

    def parts(self) -> Mapping[str, Stateful]:
        """Network and optimizer."""
        return {"network": self.network, "optimizer": self.optimizer}

    def run(self) -> dict[str, float]:
        """Trains to the end of the budget; gives the losses on held-out speech."""
        self.network.train()
        return super().run()

    def optimize(self, progress: float) -> float:
        """One step; gives the spectral loss of its batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = _LEARNING_RATE * learning_rate_factor(self.step, progress)
        batch = self.training_set.batch(self.step, self.pieces, self.frames)
        made = render(self.network, batch, self.step)
        skip = SETTLING * HOP
        loss = spectral_loss(made[:, skip:], batch.audio[:, skip:])
        optimizer_step(loss, self.optimizer, self.network)
        return float(loss.detach())

    def remark(self, outcome: float) -> str:
        """The loss."""
        return f"loss {outcome:.3f}"

    def validate(self) -> dict[str, float]:
        """Mean loss on whole held-out utterances, for each kind of content features."""
        versions = {
            "clean": CLEAN_WHOLE,
            "perturbed": PERTURBED_WHOLE[0],
            "streaming": PERTURBED_STREAM[0],
        }
        self.network.eval()
        with torch.inference_mode():
            found = {name: self._mean_loss(version) for name, version in versions.items()}
        self.network.train()
        return found

    def _mean_loss(self, version: int) -> float:
        total = 0.0
        for number, utterance in enumerate(self.held_out):
            batch = cut_piece(utterance, version, CONTEXT, utterance.frames - 2 * CONTEXT - 2)
            made = render(self.network, batch, number)
            skip = SETTLING * HOP
            total += float(spectral_loss(made[:, skip:], batch.audio[:, skip:]))
        return total / max(len(self.held_out), 1)

    def validate_and_log(self, outcome: float | None) -> dict[str, float]:
        """Validates, and appends the losses to the log of the working folder."""
        found = self.validate()
        values = {"step": self.step, "seconds": round(self.seconds), "training": outcome, **found}
        append_log(self.workdir.log, values)
        return found


def optimizer_step(
    loss: torch.Tensor, optimizer: torch.optim.Optimizer, network: torch.nn.Module
) -> None:
    """One step of an optimizer, with the norm of the gradient clipped at 5."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _MAX_GRADIENT_NORM)
    optimizer.step()
