"""The step export: writes the encoder with its card."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.files.models.conversion import write
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_file import describe, open_phonetic

from ._recipes import EncoderRecipe
from ._train import EncoderTraining


def export(
    training: EncoderTraining, recipe: EncoderRecipe, target: Path, space: Path | None = None
) -> None:
    """Writes the student in float16.

    Args:
        training: holds the student.
        recipe: for the card.
        target: the file.
        space: the encoder whose features it gives; None: its features are its own.
    """
    student, tokens = training.objective.student, training.objective.tokens
    tensors = {name: held.half().contiguous() for name, held in student.state_dict().items()}
    numbers = sum(held.numel() for held in tensors.values())
    card = describe(student.sizes, tensors, numbers, tokens)
    title = f"voicegraph {recipe.name.replace('-', ' ')}"
    about = {"title": title, "licence": recipe.licence, "source": recipe.source}
    about["training_data"] = _training_data(training, recipe)
    space_of = None
    if space is not None:
        earlier = open_phonetic(space)[1]
        space_of = earlier.identity(training.objective.layer)
        name = earlier.title or f"an encoder without a title ({earlier.fingerprint})"
        about["source"] += f". It goes on from {name}, and gives the same features"
    card = card.model_copy(update={**about, "space": space_of})
    target.parent.mkdir(parents=True, exist_ok=True)
    write(tensors, card, target, force=True)


def _training_data(training: EncoderTraining, recipe: EncoderRecipe) -> str:
    minutes = {"books": 0.0, "chorus": 0.0, "reader": 0.0}
    for found in training.training_set.utterances:
        minutes[found.name.partition("-")[0]] += found.audio.shape[1] / RATE / 60
    return (
        "that of its first weights: undocumented, neither the package hama nor its repository says "
        f"on what speech they were trained. Then {minutes['books']:.0f} minutes of LibriSpeech "
        "(V. Panayotov et al., ICASSP 2015, CC BY 4.0) with features of "
        f"{recipe.teacher} for targets, and "
        f"{minutes['chorus']:.0f} minutes said by Kokoro-82M (Apache-2.0) in 54 voices and "
        "mixtures of them, with exact times of the phones, and "
        f"{minutes['reader']:.0f} minutes said by hibari-tts (Apache-2.0); {training.step} steps"
    )
