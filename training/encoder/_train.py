"""The step train: distils the teacher, which sees whole utterances, into a streaming encoder.

The student starts with the teacher's weights. It runs as a stream, as ``content.streaming`` does;
every fourth step it sees whole pieces, so that it also serves for files. It learns the teacher's
features (mean square error relative to their variance), the phones that the teacher's last block
derives from them (Kullback-Leibler divergence), and in synthetic speech the spoken phone (cross
entropy, by an extra layer that is not exported).

Sources: knowledge distillation, G. Hinton et al., 2015; one encoder for streams and files: J. Yu et
al., "Dual-mode ASR", ICLR 2021.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.schemas.phonetic_card import LAYER

from ..common.training_loop import (
    Budget,
    Stateful,
    TrainingLoop,
    append_log,
    learning_rate_factor,
)
from ._dataset import EncoderTrainingSet, EncoderUtterance
from ._distillation_loss import DistillationLoss, DistillationLosses
from ._distributed import Worker
from ._validation import Validator
from ._workdir import EncoderWorkdir

PIECES, FRAMES = 5, 250
"""A batch of each process: 5 pieces of 5 s."""
_WHOLE_EVERY = 4
_LEARNING_RATE = 4e-4
_MAX_GRADIENT_NORM = 1.0


class EncoderTraining(TrainingLoop[DistillationLosses]):
    """Trains the streaming encoder; can be interrupted and resumed.

    Args:
        workdir: of the encoder; training resumes from the checkpoint in it.
        training_set: to learn from.
        held_out: utterances for validation.
        teacher: the network that is distilled; the student starts as a copy of it.
        worker: this process among those that train together.
        budget: how long.
        pieces: in a batch of each process.
        frames: of 20 ms in a piece.

    Attributes:
        student: the encoder. Only the blocks below the features are trained.
    """

    validate_every = 300

    def __init__(
        self,
        workdir: EncoderWorkdir,
        training_set: EncoderTrainingSet,
        held_out: list[EncoderUtterance],
        teacher: PhoneticNetwork,
        worker: Worker,
        budget: Budget,
        pieces: int = PIECES,
        frames: int = FRAMES,
    ) -> None:
        super().__init__("train", budget, workdir.checkpoint)
        self.pieces, self.frames = pieces, frames
        self.workdir, self.training_set, self.worker = workdir, training_set, worker
        self.device, self.processes = worker.device, worker.world_size
        self.is_main = worker.is_main
        self.distillation = DistillationLoss(teacher, training_set, training_set.seed)
        self.validator = Validator(
            self.distillation.phones, held_out, self.distillation.mean, self.distillation.std
        )
        self.student = copy.deepcopy(teacher)
        learned = (self.student.stem, *self.student.blocks[:LAYER], self.distillation.symbols)
        self.learned = [p.requires_grad_() for part in learned for p in part.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.learned, lr=_LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.restore()

    def parts(self) -> Mapping[str, Stateful]:
        """Student, the extra layer, and the optimizer."""
        return {
            "student": self.student,
            "symbols": self.distillation.symbols,
            "optimizer": self.optimizer,
        }

    def progress(self) -> float:
        """Share of the budget that is spent, by the clock of the main process."""
        return self.worker.broadcast(super().progress())

    def optimize(self, progress: float) -> DistillationLosses:
        """One step on a batch of this process, with the mean gradient of all processes."""
        for group in self.optimizer.param_groups:
            group["lr"] = _LEARNING_RATE * learning_rate_factor(self.step, progress)
        batch = self.training_set.batch(self.step, self.worker.rank, self.pieces, self.frames)
        with torch.autocast(self.device.type, torch.bfloat16):
            whole = self.step % _WHOLE_EVERY == _WHOLE_EVERY - 1
            losses = self.distillation.losses(self.student, batch, whole)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        self.worker.average_gradients(self.learned)
        nn.utils.clip_grad_norm_(self.learned, _MAX_GRADIENT_NORM)
        self.optimizer.step()
        return losses

    def remark(self, outcome: DistillationLosses) -> str:
        """The three losses."""
        numbers = (outcome.error, outcome.phones, outcome.symbols)
        return " ".join(f"{float(one.detach()):.3f}" for one in numbers)

    def validate_and_log(self, outcome: DistillationLosses | None) -> dict[str, float]:
        """Validates in the main process, and appends the figures to the log."""
        if not self.is_main:
            return {}
        found = self.validator.validate(self.student)
        values: dict[str, Any] = {"step": self.step, "seconds": round(self.seconds), **found}
        if outcome is not None:
            values["training"] = self.remark(outcome)
        append_log(self.workdir.log, values)
        return found
