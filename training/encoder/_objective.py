"""What an encoder learns: its first weights, its losses, its figures on held-out speech."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from ._dataset import EncoderBatch
from ._parallel_streaming import StreamingSteps, features


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of one step.

    Attributes:
        total: the weighted sum that is minimized.
        parts: what it is made of, in the order in which they are shown.
    """

    total: torch.Tensor
    parts: tuple[torch.Tensor, ...]


class Objective(ABC):
    """What a student learns.

    Attributes:
        student: with its first weights.
        layer: the block whose output are its content features.
        layers: learned beside it, and not exported.
        tokens: meanings of its outputs; the last one is ``<blank>``.
    """

    student: PhoneticNetwork
    layer: int
    layers: nn.Module
    tokens: tuple[str, ...]

    @abstractmethod
    def learned(self) -> Iterator[tuple[nn.Module, float]]:
        """Modules that are trained, each with a factor on the learning rate."""

    @abstractmethod
    def losses(self, batch: EncoderBatch, whole: bool) -> Losses:
        """The losses on a batch, as a stream or with whole pieces as context."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Figures of the student on held-out speech, by name."""


SETTLING = 10
"""Frames at the beginning of a piece that losses leave out: their past is missing."""


def content(
    student: PhoneticNetwork,
    audio: torch.Tensor,
    layer: int,
    stream: StreamingSteps,
    weights: tuple[float, ...],
    whole: bool,
) -> tuple[torch.Tensor, torch.Tensor, slice]:
    """Content features of pieces in training.

    Args:
        student: on the device of the audio.
        audio: float32 ``[pieces, samples]``.
        layer: the block.
        stream: its geometry as a stream.
        weights: of the frames of a step. The last one has the least look-ahead: it is what a node
            gives.
        whole: with whole pieces as context, and not as a stream.

    Returns:
        Features ``[pieces, frames, hidden]``, their weights ``[frames]``, and which frames of the
        pieces they are.
    """
    if whole:
        found = student(audio, layer)
        counted = slice(SETTLING, found.shape[1] - 1 - SETTLING)
        found = found[:, counted]
        return found.float(), torch.ones(found.shape[1], device=audio.device), counted
    made = features(student, audio, layer, stream)
    found = made.flatten(1, 2)[:, stream.ahead + SETTLING :].float()
    counts = audio.new_tensor(weights).repeat(made.shape[1])[stream.ahead + SETTLING :]
    return found, counts, slice(SETTLING, SETTLING + found.shape[1])


def weighted_mean(found: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Mean of ``[pieces, frames]`` by the weights of the frames, ``[frames]``."""
    return (found * counts).sum() / (counts.sum() * len(found))


def log_phones(network: PhoneticNetwork, found: torch.Tensor, layer: int) -> torch.Tensor:
    """Logarithms of the probabilities of phones, which the blocks behind a layer derive from it.

    Args:
        network: with these blocks and the head.
        found: output of the block ``layer``, ``[pieces, frames, hidden]``.
        layer: number of the block, from 1.

    Returns:
        ``[pieces, frames, tokens]``.
    """
    x = found
    for block in network.blocks[layer:]:
        x = block(x, 0, x.shape[1])
    return network.head(x).float().log_softmax(-1)
