"""Validation on held-out speakers: as a stream, in noise, in a room, and as whole utterances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from voicegraph.experiments import conditions
from voicegraph.graph.metrics import ctc
from voicegraph.graph.metrics.edit_distance import edit_distance
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import AHEAD, PAST, SETTLE, PhoneticStream
from voicegraph.schemas.phonetic_card import LAYER

from ._dataset import EncoderUtterance
from ._objective import log_phones
from ._parallel_streaming import StreamingSteps

_SETTLING = 25
_BLANK = 190
"""Number of the blank, the last of the teacher's tokens."""
LIVE = StreamingSteps(SETTLE, AHEAD, PAST, stride=1)
"""The stream of ``content.streaming`` by default."""
_SEED = 0
"""Of degradations, together with the name of the utterance."""
_UTTERANCES = 24
"""Utterances that are validated, at most."""
Phones = Callable[[torch.Tensor], torch.Tensor]
Degradation = dict[str, Any] | None
"""A condition of experiments."""
_CASES: dict[str, tuple[Degradation, bool]] = {
    "": (None, False),
    " 10 dB": ({"noise": "pink", "snr": 10.0}, False),
    " room": ({"room": {"t60": "400ms", "distance": "60cm"}}, False),
    " whole": (None, True),
}
"""What is done to the speech, and whether the whole utterance is the context."""


@dataclass(frozen=True, slots=True)
class HamaValidator:
    """Compares a student with its teacher.

    Attributes:
        phones: log probabilities of phones of features ``[1, frames, hidden]``.
        held_out: utterances of held-out speakers.
        mean, std: of the teacher's features, ``[hidden]``.
    """

    phones: Phones
    held_out: list[EncoderUtterance]
    mean: torch.Tensor
    std: torch.Tensor

    def validate(self, student: PhoneticNetwork) -> dict[str, float]:
        """Means over utterances.

        Returns:
            By name: ``cosine`` similarity with the teacher's features, both normalized;
            ``agreement``, the share of frames with the same most probable phone; ``phone error``,
            the edit distance of the phones by their number. The same at a signal-to-noise ratio
            of 10 dB, in a room, and ``whole``, with all of the utterance as context.
        """
        found = {}
        for case, (degradation, whole) in _CASES.items():
            with torch.inference_mode():
                rows = [
                    self._one(student, one, degradation, whole)
                    for one in self.held_out[:_UTTERANCES]
                ]
            cosine, agreement, wrong, wanted = np.array(rows).T
            found[f"cosine{case}"] = round(float(cosine.mean()), 4)
            found[f"agreement{case}"] = round(float(agreement.mean()), 4)
            found[f"phone error{case}"] = round(float(wrong.sum() / wanted.sum()), 4)
        return found

    def _one(
        self,
        student: PhoneticNetwork,
        utterance: EncoderUtterance,
        degradation: Degradation,
        whole: bool,
    ) -> tuple[float, float, int, int]:
        made = _features(student, utterance, LAYER, LIVE, degradation, whole)
        target = torch.from_numpy(utterance.target.astype(np.float32)).to(made)
        near = functional.cosine_similarity(self._normalized(made), self._normalized(target), -1)
        best, wanted = (self.phones(one[None])[0].argmax(-1) for one in (made, target))
        same = (best == wanted)[_SETTLING:].float().mean()
        found, reference = (
            ctc.collapse(one.cpu().numpy(), _BLANK).tolist() for one in (best, wanted)
        )
        return (
            float(near[_SETTLING:].mean()),
            float(same),
            edit_distance(reference, found),
            len(reference),
        )

    def _normalized(self, found: torch.Tensor) -> torch.Tensor:
        return (found - self.mean) / self.std


@dataclass(frozen=True, slots=True)
class GrownValidator:
    """Compares a student with the teacher's features, and its phones with those of transcripts.

    Attributes:
        held_out: utterances of held-out speakers.
        stream: geometry of the stream.
        layer: the block that gives the content features.
        variance: mean variance of the teacher's features.
    """

    held_out: list[EncoderUtterance]
    stream: StreamingSteps
    layer: int
    variance: torch.Tensor

    def validate(self, student: PhoneticNetwork, towards: nn.Module) -> dict[str, float]:
        """Means over utterances.

        Args:
            student: the encoder.
            towards: predicts the teacher's features from its content features.

        Returns:
            By name: ``error``, the square error of the teacher's features relative to their
            variance; ``cosine`` similarity with them; ``phone error``, the edit distance of the
            student's phones to those of the transcript, by their number. The same at a
            signal-to-noise ratio of 10 dB, in a room, and ``whole``, with all of the utterance as
            context.
        """
        found = {}
        for case, (degradation, whole) in _CASES.items():
            with torch.inference_mode():
                rows = [
                    self._one(student, towards, one, degradation, whole)
                    for one in self.held_out[:_UTTERANCES]
                ]
            error, cosine, wrong, wanted = np.array(rows).T
            found[f"error{case}"] = round(float(error.mean()), 4)
            found[f"cosine{case}"] = round(float(cosine.mean()), 4)
            found[f"phone error{case}"] = round(float(wrong.sum() / max(wanted.sum(), 1)), 4)
        return found

    def _one(
        self,
        student: PhoneticNetwork,
        towards: nn.Module,
        utterance: EncoderUtterance,
        degradation: Degradation,
        whole: bool,
    ) -> tuple[float, float, int, int]:
        made = _features(student, utterance, self.layer, self.stream, degradation, whole)
        target = torch.from_numpy(utterance.target.astype(np.float32)).to(made)
        made = made[: len(target)]
        near = towards(made)
        error = (near - target).square().mean() / self.variance
        cosine = functional.cosine_similarity(near, target, -1)[_SETTLING:].mean()
        best = log_phones(student, made[None], self.layer)[0].argmax(-1)
        heard = ctc.collapse(best.cpu().numpy(), student.sizes.tokens - 1).tolist()
        said = [] if utterance.said is None else utterance.said.tolist()
        wrong = edit_distance(said, heard) if said else 0
        return float(error), float(cosine), wrong, len(said)


def _features(
    student: PhoneticNetwork,
    utterance: EncoderUtterance,
    layer: int,
    stream: StreamingSteps,
    degradation: Degradation,
    whole: bool,
) -> torch.Tensor:
    """Content features of an utterance, ``[frames, hidden]``."""
    audio = (utterance.audio[0] / 32768).astype(np.float32)
    if degradation is not None:
        asked, params = conditions.ask(degradation)
        audio, _ = conditions.apply(asked, params, audio, RATE, _SEED, utterance.name)
    given = torch.from_numpy(audio).to(student.stem.weight.device)
    if whole:
        return student(given[None], layer)[0]
    steps = PhoneticStream(student, layer, stream.context, stream.settle, stream.ahead)
    return steps.whole(given)
