"""Distillation loss: the student against the teacher's features, their phones, and known phones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE
from voicegraph.schemas.phonetic_card import LAYER

from ._dataset import KOKORO_SYMBOLS, UNKNOWN, EncoderBatch, EncoderTrainingSet
from ._parallel_streaming import StreamingSteps, features

STREAM = StreamingSteps(SETTLE, AHEAD, PAST, stride=5)
"""The streaming of ``content.streaming``, but with steps of five frames."""
_SETTLING = 10
"""Frames at the beginning of a piece that the loss leaves out: their past is missing."""
_FRAME_WEIGHTS = (0.3, 0.4, 0.5, 0.7, 1.0)
"""Weights of the frames of a step. The last has the least look-ahead; it is what the node gives."""
_PHONES, _SYMBOLS = 0.3, 0.1
"""Weights of divergence and cross entropy, relative to the error of the features."""


@dataclass(frozen=True, slots=True)
class DistillationLosses:
    """Of one step: the features' error, the phones' divergence, the symbols' cross entropy."""

    error: torch.Tensor
    phones: torch.Tensor
    symbols: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The weighted sum that is minimized."""
        return self.error + _PHONES * self.phones + _SYMBOLS * self.symbols


class DistillationLoss:
    """Loss of a student relative to its teacher.

    Args:
        teacher: on the device of the training.
        training_set: its mean and standard deviation normalize the features.
        seed: of the layer that predicts Kokoro's phones.

    Attributes:
        symbols: that layer.
        mean, std: of the features, ``[hidden]``.
    """

    def __init__(
        self, teacher: PhoneticNetwork, training_set: EncoderTrainingSet, seed: int
    ) -> None:
        self.teacher = teacher
        device = teacher.stem.weight.device
        self.mean, self.std = (one.to(device) for one in (training_set.mean, training_set.std))
        torch.manual_seed(seed)
        self.symbols = nn.Linear(teacher.sizes.hidden, KOKORO_SYMBOLS).to(device)

    def losses(
        self, student: PhoneticNetwork, batch: EncoderBatch, whole: bool
    ) -> DistillationLosses:
        """The losses on a batch, as a stream or with whole pieces as context."""
        device = self.mean.device
        audio, target, phones = (
            found.to(device) for found in (batch.audio, batch.target, batch.phones)
        )
        found, counts = _whole(student, audio) if whole else _streamed(student, audio)
        counted = slice(_SETTLING, found.shape[1] - _SETTLING if whole else found.shape[1])
        found, counts, target, phones = (
            one[:, counted] for one in (found, counts.expand(len(audio), -1), target, phones)
        )
        error = ((found - target) / self.std).square().mean(-1)
        with torch.no_grad():
            wanted = self.phones(target)
        divergence = (wanted.exp() * (wanted - self.phones(found))).sum(-1)
        scores = self.symbols((found - self.mean) / self.std)
        entropy = functional.cross_entropy(
            scores.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        )
        known = (phones != UNKNOWN).sum().clamp_min(1)
        return DistillationLosses(_mean(error, counts), _mean(divergence, counts), entropy / known)

    def phones(self, found: torch.Tensor) -> torch.Tensor:
        """Log probabilities of phones that the teacher's last blocks derive from features.

        Args:
            found: features ``[pieces, frames, hidden]``.

        Returns:
            ``[pieces, frames, phones]``.
        """
        x = found
        for block in self.teacher.blocks[LAYER:]:
            x = block(x, 0, x.shape[1])
        return self.teacher.head(x).float().log_softmax(-1)


def _whole(student: PhoneticNetwork, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    found = student(audio, LAYER)[:, :-1]
    return found, torch.ones(1, found.shape[1], device=audio.device)


def _streamed(student: PhoneticNetwork, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    made = features(student, audio, LAYER, STREAM)
    counts = audio.new_tensor(_FRAME_WEIGHTS).repeat(made.shape[1])
    return made.flatten(1, 2)[:, AHEAD:].float(), counts[None, AHEAD:]


def _mean(found: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (found * counts).sum() / counts.sum()
