"""Distills the phone recognizer hama, which sees whole utterances, into a streaming encoder.

The student starts with the teacher's weights, or with those of an earlier student. It learns the
teacher's features (mean square error relative to their variance), the phones that the teacher's
last block derives from them (Kullback-Leibler divergence), and where it is known the spoken phone
(cross entropy, by an extra layer that is not exported).

Source: knowledge distillation, G. Hinton et al., 2015.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE
from voicegraph.schemas.phonetic_card import LAYER

from ._dataset import (
    KOKORO_SYMBOLS,
    UNKNOWN,
    EncoderBatch,
    EncoderTrainingSet,
    EncoderUtterance,
)
from ._objective import Losses, Objective, content, log_phones, weighted_mean
from ._parallel_streaming import StreamingSteps
from ._validation import HamaValidator

STREAM = StreamingSteps(SETTLE, AHEAD, PAST, stride=5)
"""The streaming of ``content.streaming``, but with steps of five frames."""
_FRAME_WEIGHTS = (0.3, 0.4, 0.5, 0.7, 1.0)
_PHONES, _SYMBOLS = 0.3, 0.1
"""Weights of divergence and cross entropy, relative to the error of the features."""
_FASTER = 5.0
"""Learning rate of the extra layer, which starts at random, relative to that of the blocks."""


class HamaObjective(Objective):
    """Loss of a student relative to its teacher.

    Args:
        teacher: on the device of the training.
        tokens: of the teacher.
        training_set: its mean and standard deviation normalize the features.
        held_out: utterances for validation.
        first: the network whose weights the student starts with; None: the teacher.

    Attributes:
        mean, std: of the features, ``[hidden]``.
    """

    layer = LAYER

    def __init__(
        self,
        teacher: PhoneticNetwork,
        tokens: tuple[str, ...],
        training_set: EncoderTrainingSet,
        held_out: list[EncoderUtterance],
        first: PhoneticNetwork | None = None,
    ) -> None:
        self.teacher, self.tokens = teacher, tokens
        self.student = copy.deepcopy(first or teacher)
        device = teacher.stem.weight.device
        self.mean, self.std = (one.to(device) for one in (training_set.mean, training_set.std))
        torch.manual_seed(training_set.seed)
        self.layers = nn.Linear(teacher.sizes.hidden, KOKORO_SYMBOLS).to(device)
        self.validator = HamaValidator(self.phones, held_out, self.mean, self.std)

    def learned(self) -> Iterator[tuple[nn.Module, float]]:
        """Only the blocks below the features are trained."""
        for part in (self.student.stem, *self.student.blocks[:LAYER]):
            yield part, 1.0
        yield self.layers, _FASTER

    def losses(self, batch: EncoderBatch, whole: bool) -> Losses:
        """The features' error, the phones' divergence, the symbols' cross entropy."""
        device = self.mean.device
        audio, target, phones = (
            found.to(device) for found in (batch.audio, batch.target, batch.phones)
        )
        found, counts, counted = content(self.student, audio, LAYER, STREAM, _FRAME_WEIGHTS, whole)
        target, phones = target[:, counted], phones[:, counted]
        error = ((found - target) / self.std).square().mean(-1)
        with torch.no_grad():
            wanted = self.phones(target)
        divergence = (wanted.exp() * (wanted - self.phones(found))).sum(-1)
        scores = self.layers((found - self.mean) / self.std)
        entropy = functional.cross_entropy(
            scores.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        ) / (phones != UNKNOWN).sum().clamp_min(1)
        parts = (weighted_mean(error, counts), weighted_mean(divergence, counts), entropy)
        return Losses(parts[0] + _PHONES * parts[1] + _SYMBOLS * parts[2], parts)

    def validate(self) -> dict[str, float]:
        """As :meth:`HamaValidator.validate`."""
        return self.validator.validate(self.student)

    def phones(self, found: torch.Tensor) -> torch.Tensor:
        """Log probabilities of phones that the teacher's last blocks derive from features.

        Args:
            found: features ``[pieces, frames, hidden]``.

        Returns:
            ``[pieces, frames, phones]``.
        """
        return log_phones(self.teacher, found, LAYER)
