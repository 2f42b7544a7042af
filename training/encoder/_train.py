"""The step train: what an objective says, as a stream and as a whole, until the budget is spent.

The student runs as a stream, as ``content.streaming`` does; every fourth step it sees whole pieces,
so that it also serves for files.

Source: one encoder for streams and files: J. Yu et al., "Dual-mode ASR", ICLR 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from voicegraph.nodes.layers.packed import has_bfloat16

from ..common.training_loop import (
    Budget,
    Stateful,
    TrainingLoop,
    append_log,
    learning_rate_factor,
)
from ._dataset import EncoderTrainingSet
from ._distributed import Worker
from ._objective import Losses, Objective
from ._workdir import EncoderWorkdir

PIECES, FRAMES = 5, 250
"""A batch of each process: 5 pieces of 5 s."""
_WHOLE_EVERY = 4
_MAX_GRADIENT_NORM = 1.0


class EncoderTraining(TrainingLoop[Losses]):
    """Trains the streaming encoder; can be interrupted and resumed.

    Args:
        workdir: of the encoder; training resumes from the checkpoint in it.
        training_set: to learn from.
        objective: what is learned, and the student with its first weights.
        worker: this process among those that train together.
        budget: how long.
        learning_rate: the highest.
        pieces: in a batch of each process.
        frames: of 20 ms in a piece.
    """

    validate_every = 500

    def __init__(
        self,
        workdir: EncoderWorkdir,
        training_set: EncoderTrainingSet,
        objective: Objective,
        worker: Worker,
        budget: Budget,
        learning_rate: float,
        pieces: int = PIECES,
        frames: int = FRAMES,
    ) -> None:
        super().__init__("train", budget, workdir.checkpoint)
        self.pieces, self.frames, self.learning_rate = pieces, frames, learning_rate
        self.workdir, self.training_set, self.worker = workdir, training_set, worker
        self.device, self.processes = worker.device, worker.world_size
        self.is_main = worker.is_main
        self.objective = objective
        groups = [
            {"params": [p.requires_grad_() for p in part.parameters()], "factor": factor}
            for part, factor in objective.learned()
        ]
        self.learned = [parameter for group in groups for parameter in group["params"]]
        self.optimizer = torch.optim.AdamW(
            groups, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.restore()

    def run(self) -> dict[str, float]:
        """As the base class, with a validation before the first step, to compare with."""
        if self.step == 0:
            self.validate_and_log(None)
        return super().run()

    def parts(self) -> Mapping[str, Stateful]:
        """Student, the extra layers, and the optimizer."""
        return {
            "student": self.objective.student,
            "layers": self.objective.layers,
            "optimizer": self.optimizer,
        }

    def progress(self) -> float:
        """Share of the budget that is spent, by the clock of the main process."""
        return self.worker.broadcast(super().progress())

    def optimize(self, progress: float) -> Losses:
        """One step on a batch of this process, with the mean gradient of all processes."""
        for group in self.optimizer.param_groups:
            rate = self.learning_rate * learning_rate_factor(self.step, progress)
            group["lr"] = rate * group["factor"]
        batch = self.training_set.batch(self.step, self.worker.rank, self.pieces, self.frames)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=has_bfloat16(self.device)):
            whole = self.step % _WHOLE_EVERY == _WHOLE_EVERY - 1
            losses = self.objective.losses(batch, whole)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.worker.average_gradients(self.learned)
        nn.utils.clip_grad_norm_(self.learned, _MAX_GRADIENT_NORM)
        self.optimizer.step()
        return losses

    def remark(self, outcome: Losses) -> str:
        """The parts of the loss."""
        return " ".join(f"{float(one.detach()):.3f}" for one in outcome.parts)

    def validate_and_log(self, outcome: Losses | None) -> dict[str, float]:
        """Validates in the main process, and appends the figures to the log."""
        if not self.is_main:
            return {}
        found = self.objective.validate()
        values: dict[str, Any] = {"step": self.step, "seconds": round(self.seconds), **found}
        if outcome is not None:
            values["training"] = self.remark(outcome)
        append_log(self.workdir.log, values)
        return found
