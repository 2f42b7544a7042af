"""The step train: the network learns to say it in this voice."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from voicegraph.nodes.synth.pulse_train import pulse_train
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.source_filter_card import SourceFilterSizes

from ..common.interrupts import held_back
from ..common.jobs import bar
from ._dataset import AHEAD, HOP, Batch, Material, Utterance, piece
from ._features import CLEAN_WHOLE, PERTURBED_STREAM, PERTURBED_WHOLE
from ._losses import spectral_loss
from .workdir import RATE, Workplace, write_whole

PIECES, FRAMES = 8, 128
"""A batch: 8 pieces of 1.28 s."""
SETTLING = 20
"""Frames at the beginning of a piece that are not judged: the network has heard too little."""
_RATE, _LAST = 8e-4, 0.05
_WARM_UP, _HELD = 100, 0.3
_CLIP = 5.0
_EVERY = 100
"""Steps between checkpoints."""
_VALIDATED = 300
"""Steps between validations."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long training goes on: so many minutes by the clock, or so many steps where given.

    Steps give the same weights on every run; minutes, what this machine can do in them.
    """

    minutes: float
    steps: int | None = None

    def progress(self, step: int, seconds: float) -> float:
        """0 at the beginning, 1 at the end."""
        return step / self.steps if self.steps else seconds / (60 * self.minutes)


def render(network: SourceFilterNetwork, batch: Batch, seed: int) -> torch.Tensor:
    """Sound of a batch, ``[pieces, frames * hop]``, with noise and first phases by the seed."""
    generator = torch.Generator().manual_seed(seed)
    # One frame before the first that is made, to one after the last.
    f0 = batch.f0[:, AHEAD - 1 : batch.f0.shape[1] - AHEAD + 1].double()
    phase = torch.rand(len(f0), generator=generator, dtype=torch.float64)
    pulses = pulse_train(f0, phase, HOP, RATE)
    noise = torch.randn(pulses.shape, generator=generator)
    controls = network.controls(batch.content, batch.f0, batch.level)
    return network(controls, torch.stack((pulses, noise), 1))


class Training:
    """A training that may be interrupted at any moment.

    Args:
        place: of the voice; a checkpoint there is gone on from.
        material: to learn from.
        held_out: to judge by.
        budget: how long.
        sizes: of the network.
        pieces: in a batch.
        frames: of 10 ms in a piece.

    Attributes:
        step: steps done.
        seconds: they took by the clock.
        core_seconds: they took of all cores together, which is less where others use them, too;
            None if a checkpoint does not tell.
        polished: steps of polishing that came after.
    """

    def __init__(
        self,
        place: Workplace,
        material: Material,
        held_out: list[Utterance],
        budget: Budget,
        sizes: SourceFilterSizes,
        pieces: int = PIECES,
        frames: int = FRAMES,
    ) -> None:
        self.pieces, self.frames = pieces, frames
        self.place, self.material, self.held_out = place, material, held_out
        self.budget = budget
        torch.manual_seed(material.seed)
        self.network = SourceFilterNetwork(sizes)
        self.network.content_mean.copy_(material.mean)
        self.network.content_scale.copy_(1 / material.spread.clamp_min(1e-3))
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=_RATE, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.step, self.seconds = 0, 0.0
        self.core_seconds: float | None = 0.0
        self.polished = 0
        if place.checkpoint.exists():
            self._restore()

    def run(self) -> dict[str, float]:
        """Trains to the end of the budget; losses on held-out speech.

        Ctrl-C loses nothing.
        """
        self.network.train()
        try:
            self._train()
        except KeyboardInterrupt:
            self._save()
            raise
        self._save()
        return self._note()

    def _train(self) -> None:
        begun = self.budget.progress(self.step, self.seconds)
        with bar("train", 1000, round(1000 * begun)) as tell:
            done = begun
            while done < 1:
                with held_back():
                    loss = self._timed_step(done)
                done = self.budget.progress(self.step, self.seconds)
                tell(f"step {self.step}, loss {loss:.3f}", round(1000 * min(done, 1)))
                if self.step % _VALIDATED == 0:
                    self._note(loss)
                if self.step % _EVERY == 0:
                    self._save()

    def _timed_step(self, done: float) -> float:
        """One step; its time counts towards the budget, that of validation does not."""
        start, computed = time.monotonic(), time.process_time()
        for group in self.optimizer.param_groups:
            group["lr"] = _RATE * schedule(self.step, done)
        batch = self.material.batch(self.step, self.pieces, self.frames)
        made = render(self.network, batch, self.step)
        skip = SETTLING * HOP
        loss = spectral_loss(made[:, skip:], batch.audio[:, skip:])
        descend(loss, self.optimizer, self.network)
        self.step += 1
        self.seconds += time.monotonic() - start
        if self.core_seconds is not None:
            self.core_seconds += time.process_time() - computed
        return float(loss.detach())

    def validate(self) -> dict[str, float]:
        """Mean loss on whole held-out utterances, by the version of the features."""
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
            batch = piece(utterance, version, AHEAD, utterance.frames - 2 * AHEAD - 2)
            made = render(self.network, batch, number)
            skip = SETTLING * HOP
            total += float(spectral_loss(made[:, skip:], batch.audio[:, skip:]))
        return total / max(len(self.held_out), 1)

    def _note(self, loss: float | None = None) -> dict[str, float]:
        found = self.validate()
        line = {"step": self.step, "seconds": round(self.seconds), "training": loss, **found}
        with self.place.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return found

    def _save(self) -> None:
        held: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "core_seconds": self.core_seconds,
        }

        def write(path: Path) -> None:
            torch.save(held, path)

        write_whole(self.place.checkpoint, write)

    def _restore(self) -> None:
        held = torch.load(self.place.checkpoint, weights_only=True)
        self.network.load_state_dict(held["network"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.step, self.seconds = held["step"], held["seconds"]
        self.core_seconds = held.get("core_seconds")


def descend(loss: torch.Tensor, optimizer: torch.optim.Optimizer, network: torch.nn.Module) -> None:
    """One step of an optimizer; gradients of more than 5 are cut to that length."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
    optimizer.step()


def schedule(step: int, done: float) -> float:
    """Share of the learning rate: up over the first steps, held, then down along a cosine."""
    warm = min(1.0, (step + 1) / _WARM_UP)
    falling = max(0.0, min(1.0, (done - _HELD) / (1 - _HELD)))
    return warm * (_LAST + (1 - _LAST) * (1 + math.cos(math.pi * falling)) / 2)
