"""The step train: the share of speech, as far as it moves the level that is heard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.dsp.speech_level_network import AHEAD, Memory, SpeechLevelNetwork

from ..common.training_loop import (
    Budget,
    Stateful,
    TrainingLoop,
    append_log,
    learning_rate_factor,
)
from ._examples import Examples

_BATCH = 48
_LEARNING_RATE, _WEIGHT_DECAY = 3e-3, 1e-3
_MAX_GRADIENT_NORM = 1.0
_LOUD = 0.95
"""Quantile of the levels of an example that counts as loud speech."""
_SILENT_DB, _MOST_DB = -45.0, 10.0
"""What is so far below loud speech is silent: nothing is gained by more."""
_DELTA_DB = 4.0
"""Errors beyond this count in proportion, smaller ones by their square (Huber's loss)."""
_SETTLING = 10
"""Frames at the beginning that the loss leaves out."""
_WEAK_DB = -25.0
"""Between this and silence lie the weak sounds that noise hides first."""


class SpeechLevelTraining(TrainingLoop[float]):
    """Trains the network; can be interrupted and resumed.

    Args:
        checkpoint: training resumes from it.
        log: of the losses.
        examples: to learn from.
        held_out: for validation.
        budget: how long.
        seed: of the first weights and of the batches.
    """

    validate_every = 500

    def __init__(
        self,
        checkpoint: Path,
        log: Path,
        examples: Examples,
        held_out: Examples,
        budget: Budget,
        seed: int,
    ) -> None:
        super().__init__("train", budget, checkpoint)
        self.examples, self.held_out, self.log, self.seed = examples, held_out, log, seed
        torch.manual_seed(seed)
        self.network = SpeechLevelNetwork()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY
        )
        self.restore()

    def parts(self) -> Mapping[str, Stateful]:
        """The network and the optimizer."""
        return {"network": self.network, "optimizer": self.optimizer}

    def optimize(self, progress: float) -> float:
        """One step on examples that its number decides."""
        for group in self.optimizer.param_groups:
            group["lr"] = _LEARNING_RATE * learning_rate_factor(self.step, progress)
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        chosen = torch.randint(len(self.examples.level), (_BATCH,), generator=draw)
        wrong, _ = errors(self.network, _some(self.examples, chosen))
        loss = functional.huber_loss(wrong, torch.zeros_like(wrong), delta=_DELTA_DB)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRADIENT_NORM)
        self.optimizer.step()
        return float(loss.detach())

    def remark(self, outcome: float) -> str:
        """The loss."""
        return f"{outcome:.2f}"

    def validate_and_log(self, outcome: float | None) -> dict[str, float]:
        """Mean absolute error in dB of loud speech, of weak speech and of pauses, and the loss."""
        with torch.inference_mode():
            wrong, wanted = errors(self.network, self.held_out)
        weak = (wanted > _SILENT_DB) & (wanted <= _WEAK_DB)
        parts = {"speech": wanted > _WEAK_DB, "weak": weak, "pauses": wanted <= _SILENT_DB}
        found = {
            f"{name} {10 * ahead} ms": round(float(wrong[..., k][where[..., 0]].abs().mean()), 3)
            for name, where in parts.items()
            for k, ahead in enumerate(AHEAD)
        }
        loss = functional.huber_loss(wrong, torch.zeros_like(wrong), delta=_DELTA_DB)
        found["loss"] = round(float(loss), 4)
        values: dict[str, Any] = {"step": self.step, "seconds": round(self.seconds), **found}
        append_log(self.log, values | ({} if outcome is None else {"training": round(outcome, 4)}))
        return found


def errors(network: SpeechLevelNetwork, examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """By how much the speech is found too loud, and its level relative to loud speech.

    Returns:
        dB ``[examples, frames, 2]``, for each look-ahead of the network, and ``[examples, frames,
        1]``. Silence is silence, however quiet it is.
    """
    memory = Memory.empty(len(examples.level))
    shares, _ = network(examples.bands, examples.level, memory)
    known = examples.level.shape[1] - max(AHEAD)
    share = torch.stack([shares[:, n : n + known, k] for k, n in enumerate(AHEAD)], 2)
    found = examples.level[:, :known, None] + share
    speech = examples.speech[:, :known, None]
    loud = torch.quantile(speech, _LOUD, dim=1, keepdim=True)
    wanted = (speech - loud).clamp(_SILENT_DB, _MOST_DB)
    made = (found - loud).clamp(max=_MOST_DB)
    made = torch.where(wanted <= _SILENT_DB, made.clamp_min(_SILENT_DB), made)
    return (made - wanted)[:, _SETTLING:], wanted[:, _SETTLING:]


def _some(examples: Examples, chosen: torch.Tensor) -> Examples:
    return Examples(examples.bands[chosen], examples.level[chosen], examples.speech[chosen])
