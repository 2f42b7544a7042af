"""The step export: writes the encoder with its card."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.files.models.conversion import write
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_file import describe

from ._train import EncoderTraining

TITLE = "voicegraph phonetic 1"
LICENCE = (
    "Apache-2.0 by the metadata of the package hama 1.7.0, MIT by the LICENSE of its repository "
    "(Copyright (c) 2025 hama contributors), of whose weights these were made; changes MIT, as "
    "voicegraph"
)
SOURCE = (
    "made by training/encoder from the phone recogniser asr_waveform of the package hama 1.7.0 on "
    "PyPI, by Seongmin Park, https://github.com/hamanlp/hama: trained further to stream, and to "
    "hear through noise"
)


def export(training: EncoderTraining, tokens: tuple[str, ...], target: Path) -> None:
    """Writes the student: all tensors of the teacher, the trained ones replaced."""
    tensors = {name: held.half() for name, held in training.student.state_dict().items()}
    numbers = sum(held.numel() for held in tensors.values())
    card = describe(training.student.sizes, tensors, numbers, tokens)
    about = {"title": TITLE, "licence": LICENCE, "source": SOURCE}
    card = card.model_copy(update={**about, "training_data": _training_data(training)})
    target.parent.mkdir(parents=True, exist_ok=True)
    write(tensors, card, target, force=True)


def _training_data(training: EncoderTraining) -> str:
    minutes = {"books": 0.0, "chorus": 0.0, "reader": 0.0}
    for found in training.training_set.utterances:
        minutes[found.name.partition("-")[0]] += found.audio.shape[1] / RATE / 60
    return (
        "the teacher's: undocumented, neither the package nor its repository says on what speech "
        f"it was trained. Then {minutes['books']:.0f} minutes of LibriSpeech (V. Panayotov et al., "
        "ICASSP 2015, CC BY 4.0) with the teacher's features for targets, and "
        f"{minutes['chorus']:.0f} minutes said by Kokoro-82M (Apache-2.0) in 54 voices and "
        "mixtures of them, with exact times of the phones, and "
        f"{minutes['reader']:.0f} minutes said by hibari-tts (Apache-2.0); {training.step} steps"
    )
