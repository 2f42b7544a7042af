"""Teaches a deeper streaming encoder spoken phones, and what a teacher hears in whole utterances.

The student starts as the phone recognizer hama with more blocks on top. One linear layer predicts
the phone of each frame from its content features, another one the teacher's features. The last
block with the network's own head learns the sequence of phones (connectionist temporal
classification, CTC). Only that block and the head lie behind the content features, so that these
need not be phones. The linear layers are not exported.

Sources: knowledge distillation, G. Hinton et al., 2015; CTC, A. Graves et al., ICML 2006.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE

from ._dataset import SILENCE, UNKNOWN, EncoderBatch, EncoderTrainingSet, EncoderUtterance
from ._objective import Losses, Objective, content, log_phones, weighted_mean
from ._parallel_streaming import StreamingSteps
from ._student_growth import grown
from ._validation import GrownValidator

BLOCKS = 6
"""Of the student. Content features are those below the last one."""
STREAM = StreamingSteps(SETTLE, AHEAD, PAST, stride=5)
_FRAME_WEIGHTS = (0.3, 0.4, 0.5, 0.7, 1.0)
_FASTER = 5.0
"""Learning rate of the linear layers relative to that of the blocks."""
_ENTROPY, _SEQUENCE = 0.5, 0.2
"""Weights of frame-wise cross entropy and CTC, relative to the error of the features."""


class GrownObjective(Objective):
    """Loss of a student relative to the spoken phones and a teacher's features.

    Args:
        first: the network whose weights the student starts with.
        tokens: meanings of the phones of the data set, by number; the blank is added.
        training_set: to learn from.
        held_out: utterances for validation.
    """

    layer = BLOCKS - 1

    def __init__(
        self,
        first: PhoneticNetwork,
        tokens: tuple[str, ...],
        training_set: EncoderTrainingSet,
        held_out: list[EncoderUtterance],
    ) -> None:
        device = first.stem.weight.device
        self.tokens = (*tokens, "<blank>")
        self.student = grown(first, BLOCKS, len(self.tokens), training_set.seed).to(device)
        width = training_set.utterances[0].target.shape[1]
        hidden = first.sizes.hidden
        self.towards = nn.Linear(hidden, width).to(device)
        self.phones = nn.Linear(hidden, len(tokens)).to(device)
        self.layers = nn.ModuleDict({"towards": self.towards, "phones": self.phones})
        self.variance = training_set.std.square().mean().to(device)
        self.validator = GrownValidator(held_out, STREAM, self.layer, self.variance)

    def learned(self) -> Iterator[tuple[nn.Module, float]]:
        """All of the student and the linear layers; what starts at random learns faster."""
        for part in (self.student.stem, *self.student.blocks):
            yield part, 1.0
        for part in (self.student.head, self.layers):
            yield part, _FASTER

    def losses(self, batch: EncoderBatch, whole: bool) -> Losses:
        """Error of the teacher's features, cross entropy of phones, and CTC for each phone."""
        device = self.variance.device
        audio, target, phones = (
            found.to(device) for found in (batch.audio, batch.target, batch.phones)
        )
        found, counts, counted = content(
            self.student, audio, self.layer, STREAM, _FRAME_WEIGHTS, whole
        )
        target, phones = target[:, counted], phones[:, counted]
        error = (self.towards(found) - target).float().square().mean(-1) / self.variance
        entropy = functional.cross_entropy(
            self.phones(found).float().flatten(0, 1),
            phones.flatten(),
            ignore_index=UNKNOWN,
            reduction="sum",
        ) / (phones != UNKNOWN).sum().clamp_min(1)
        parts = (weighted_mean(error, counts), entropy, self._sequence(found, phones))
        return Losses(parts[0] + _ENTROPY * parts[1] + _SEQUENCE * parts[2], parts)

    def _sequence(self, found: torch.Tensor, phones: torch.Tensor) -> torch.Tensor:
        """CTC loss for each phone of the pieces in which phones are known."""
        said = [_spoken(one) for one in phones.cpu().numpy()]
        known = [number for number, one in enumerate(said) if len(one)]
        if not known:
            return found.new_zeros(())
        scores = log_phones(self.student, found[known], self.layer).transpose(0, 1)
        lengths = torch.tensor([len(said[number]) for number in known])
        wanted = torch.from_numpy(np.concatenate([said[number] for number in known]))
        frames = torch.full((len(known),), len(scores))
        loss = functional.ctc_loss(
            scores,
            wanted.to(found.device),
            frames,
            lengths,
            blank=len(self.tokens) - 1,
            reduction="sum",
            zero_infinity=True,
        )
        return loss / lengths.sum()

    def validate(self) -> dict[str, float]:
        """As :meth:`GrownValidator.validate`."""
        return self.validator.validate(self.student, self.towards)


def _spoken(phones: np.ndarray) -> np.ndarray:
    """The sequence of phones in the frames of a piece, without silence and unknown frames."""
    first = np.append(True, phones[1:] != phones[:-1])
    return phones[first & (phones != UNKNOWN) & (phones != SILENCE)]
