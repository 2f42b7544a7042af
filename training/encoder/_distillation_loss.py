"""What the student is asked for: the teacher's features, what they say, and what is said."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE
from voicegraph.schemas.phonetic_card import LAYER

from ._dataset import KOKORO_SYMBOLS, UNKNOWN, Batch, Material
from ._parallel_streaming import Steps, features

STREAM = Steps(SETTLE, AHEAD, PAST, stride=5)
"""As the node goes through a stream, but five frames at once."""
_SETTLING = 10
"""Frames at the beginning of a piece that are not judged: what came before is missing."""
_NEWEST = (0.3, 0.4, 0.5, 0.7, 1.0)
"""How much frames count, from the one that is heard longest to the one that is asked for."""
_PHONES, _SYMBOLS = 0.3, 0.1
"""Weights of divergence and cross entropy beside the error of the features."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one step: the features' error, the phones' divergence, the symbols' cross entropy."""

    error: torch.Tensor
    phones: torch.Tensor
    symbols: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """What is made small."""
        return self.error + _PHONES * self.phones + _SYMBOLS * self.symbols


class Lesson:
    """Compares a student with its teacher on a batch.

    Args:
        teacher: on the device of training.
        material: whose mean and spread the features are measured by.
        seed: of the layer that names Kokoro's phones.

    Attributes:
        symbols: that layer.
    """

    def __init__(self, teacher: PhoneticNetwork, material: Material, seed: int) -> None:
        self.teacher = teacher
        device = teacher.stem.weight.device
        self.mean, self.spread = (one.to(device) for one in (material.mean, material.spread))
        torch.manual_seed(seed)
        self.symbols = nn.Linear(teacher.sizes.hidden, KOKORO_SYMBOLS).to(device)

    def losses(self, student: PhoneticNetwork, batch: Batch, whole: bool) -> Losses:
        """How far the student is off, as a stream or with whole pieces as context."""
        device = self.mean.device
        audio, target, phones = (
            found.to(device) for found in (batch.audio, batch.target, batch.phones)
        )
        found, counts = _whole(student, audio) if whole else _streamed(student, audio)
        judged = slice(_SETTLING, found.shape[1] - _SETTLING if whole else found.shape[1])
        found, counts, target, phones = (
            one[:, judged] for one in (found, counts.expand(len(audio), -1), target, phones)
        )
        error = ((found - target) / self.spread).square().mean(-1)
        with torch.no_grad():
            wanted = self.phones(target)
        divergence = (wanted.exp() * (wanted - self.phones(found))).sum(-1)
        said = self.symbols((found - self.mean) / self.spread)
        entropy = functional.cross_entropy(
            said.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        )
        known = (phones != UNKNOWN).sum().clamp_min(1)
        return Losses(_mean(error, counts), _mean(divergence, counts), entropy / known)

    def phones(self, found: torch.Tensor) -> torch.Tensor:
        """What the teacher's last block hears in features: natural logarithms of probabilities."""
        x = found
        for block in self.teacher.blocks[LAYER:]:
            x = block(x, 0, x.shape[1])
        return self.teacher.head(x).float().log_softmax(-1)


def _whole(student: PhoneticNetwork, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    found = student(audio, LAYER)[:, :-1]
    return found, torch.ones(1, found.shape[1], device=audio.device)


def _streamed(student: PhoneticNetwork, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    made = features(student, audio, LAYER, STREAM)
    counts = audio.new_tensor(_NEWEST).repeat(made.shape[1])
    return made.flatten(1, 2)[:, AHEAD:].float(), counts[None, AHEAD:]


def _mean(found: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    return (found * counts).sum() / counts.sum()
