"""After training: made speech is trained until discriminators cannot tell it from the voice's own.

The spectral loss alone makes envelopes that are an average of what is possible, which sounds dull.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from ..common.interrupts import held_back
from ..common.jobs import bar
from ._dataset import HOP
from ._discriminators import Discriminators, critics_loss, doubt_loss, feature_loss
from ._losses import spectral_loss
from .train import SETTLING, Budget, Training, descend, render
from .workdir import write_whole

PIECES, FRAMES = 4, 96
"""A batch: 4 pieces of 0.96 s."""
_RATE, _CRITICS_RATE = 2e-4, 4e-4
_SPECTRAL, _DOUBT, _FEATURES = 3.0, 0.3, 1.5
_ALONE = 50
"""Steps in which the discriminators learn before they are listened to."""
_EVERY = 100
"""Steps between checkpoints."""
_DRAWS = 1 << 20
"""Batches are other ones than those of training."""


class Polish:
    """Fine-tuning of a training's network; may be interrupted at any moment.

    Args:
        training: that has come to its end.
        budget: how long.
        pieces: in a batch.
        frames: of 10 ms in a piece.
    """

    def __init__(
        self, training: Training, budget: Budget, pieces: int = PIECES, frames: int = FRAMES
    ) -> None:
        self.training, self.budget = training, budget
        self.pieces, self.frames = pieces, frames
        self.network = training.network
        torch.manual_seed(training.material.seed)
        self.critics = Discriminators()
        betas = (0.8, 0.99)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), _RATE, betas)
        self.critics_optimizer = torch.optim.AdamW(self.critics.parameters(), _CRITICS_RATE, betas)
        self.step, self.seconds = 0, 0.0
        if self.checkpoint.exists():
            self._restore()

    @property
    def checkpoint(self) -> Path:
        """What is polished so far."""
        return self.training.place.root / "polish.pt"

    def run(self) -> dict[str, float]:
        """Polishes to the end of the budget; losses on held-out speech. Ctrl-C loses nothing."""
        self.network.train()
        try:
            self._polish()
        finally:
            self._save()
            self.training.polished = self.step
        return self.training.validate()

    def _polish(self) -> None:
        begun = self.budget.progress(self.step, self.seconds)
        with bar("polish", 1000, round(1000 * begun)) as tell:
            while (done := self.budget.progress(self.step, self.seconds)) < 1:
                with held_back():
                    spectral, features = self._timed_step()
                remark = f"step {self.step}, loss {spectral:.3f}, features {features:.3f}"
                tell(remark, round(1000 * done))
                if self.step % _EVERY == 0:
                    self._save()

    def _timed_step(self) -> tuple[float, float]:
        start = time.monotonic()
        found = self._step()
        self.step += 1
        self.seconds += time.monotonic() - start
        return found

    def _step(self) -> tuple[float, float]:
        batch = self.training.material.batch(_DRAWS + self.step, self.pieces, self.frames)
        skip = SETTLING * HOP
        made = render(self.network, batch, _DRAWS + self.step)[:, skip:]
        wanted = batch.audio[:, skip:]
        self._judge(wanted, made.detach())
        self.critics.requires_grad_(False)
        verdicts, own = self.critics(made), self.critics(wanted)
        self.critics.requires_grad_(True)
        spectral, features = spectral_loss(made, wanted), feature_loss(own, verdicts)
        listened = float(self.step >= _ALONE)
        loss = _SPECTRAL * spectral
        loss = loss + listened * (_DOUBT * doubt_loss(verdicts) + _FEATURES * features)
        descend(loss, self.optimizer, self.network)
        return float(spectral.detach()), float(features.detach())

    def _judge(self, wanted: torch.Tensor, made: torch.Tensor) -> None:
        loss = critics_loss(self.critics(wanted), self.critics(made))
        descend(loss, self.critics_optimizer, self.critics)

    def _save(self) -> None:
        held: dict[str, Any] = {
            "network": self.network.state_dict(),
            "critics": self.critics.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critics_optimizer": self.critics_optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        write_whole(self.checkpoint, lambda path: torch.save(held, path))

    def _restore(self) -> None:
        held = torch.load(self.checkpoint, weights_only=True)
        for name in ("network", "critics", "optimizer", "critics_optimizer"):
            getattr(self, name).load_state_dict(held[name])
        self.step, self.seconds = held["step"], held["seconds"]
