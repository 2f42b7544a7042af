"""How well readers are heard whom training did not hear: live, and live through noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import PhoneticStream
from voicegraph.schemas.phonetic_card import LAYER
from voicegraph.training.common.edit_distance import edits

from ..evaluate.noise import noisy
from ..evaluate.phones import collapsed
from ._dataset import Utterance

_SETTLING = 25
_NOISE_DB = 10.0
_BLANK = 190
"""Number of the blank among the teacher's tokens: the last."""
_MOST = 24
"""Utterances: of as many readers."""
Phones = Callable[[torch.Tensor], torch.Tensor]
_CASES: dict[str, tuple[float | None, bool]] = {
    "": (None, False),
    " 10 dB": (_NOISE_DB, False),
    " whole": (None, True),
}
"""Noise, and whether the whole utterance is heard at once."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares a student with its teacher.

    Attributes:
        phones: what the teacher's head hears in features ``[1, frames, hidden]``.
        held_out: utterances of readers that training does not hear.
        mean, spread: of the teacher's features, ``[hidden]``.
    """

    phones: Phones
    held_out: list[Utterance]
    mean: torch.Tensor
    spread: torch.Tensor

    def judged(self, student: PhoneticNetwork) -> dict[str, float]:
        """Means over utterances.

        Returns:
            By name: ``cosine`` of the features with the teacher's, both by their mean and spread;
            ``agreement``, the share of frames with the same likeliest phone; ``phone error``, edits
            of the phones that the frames spell by those of the teacher's. The same with 10 dB of
            noise, and ``whole``, with all of the utterance as context.
        """
        found = {}
        for case, (noise, whole) in _CASES.items():
            with torch.inference_mode():
                rows = [self._one(student, one, noise, whole) for one in self.held_out[:_MOST]]
            cosine, agreement, wrong, said = np.array(rows).T
            found[f"cosine{case}"] = round(float(cosine.mean()), 4)
            found[f"agreement{case}"] = round(float(agreement.mean()), 4)
            found[f"phone error{case}"] = round(float(wrong.sum() / said.sum()), 4)
        return found

    def _one(
        self, student: PhoneticNetwork, utterance: Utterance, noise: float | None, whole: bool
    ) -> tuple[float, float, int, int]:
        audio = utterance.audio[0] / 32768
        if noise is not None:
            audio = noisy(audio, noise, utterance.name)
        given = torch.from_numpy(audio.astype(np.float32)).to(self.mean.device)
        stream = PhoneticStream(student, LAYER)
        made = student(given[None], LAYER)[0] if whole else stream.whole(given)
        target = torch.from_numpy(utterance.target.astype(np.float32)).to(made)
        near = functional.cosine_similarity(self._even(made), self._even(target), -1)
        best, wanted = (self.phones(one[None])[0].argmax(-1) for one in (made, target))
        same = (best == wanted)[_SETTLING:].float().mean()
        found, said = (collapsed(one.cpu().numpy(), _BLANK).tolist() for one in (best, wanted))
        return float(near[_SETTLING:].mean()), float(same), edits(said, found), len(said)

    def _even(self, found: torch.Tensor) -> torch.Tensor:
        return (found - self.mean) / self.spread
