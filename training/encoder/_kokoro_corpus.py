"""The step chorus: many voices say many sentences, and every phone's time is known exactly.

Kokoro-82M has 54 voices, each a style vector for every length of sentence; between two of them lies
another one. Its durations come out of the network beside the sound.
"""

from __future__ import annotations

import functools
import tarfile
from pathlib import Path

import numpy as np
import soxr

from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import STEP
from voicegraph.training.voice.workdir import write_speech, write_whole

from ..corpora.tts_speakers import kokoro, kokoro_says, kokoro_style, phonemes, styles
from ._workdir import Place

SENTENCES = Path(__file__).with_name("sentences.txt")
DURATIONS = "/encoder/Clip_output_0"
"""Inside Kokoro: how many spans of 25 ms each phone lasts."""
_SPOKEN_HZ, _SPAN = 24000, 600
_MIXED = 0.5
"""Share of the sentences that a voice between two others says."""
_SPEEDS = (0.85, 1.3)
_PEAK = 0.9


def sentences() -> list[str]:
    """1,200 sentences that none of the voices reads."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def jobs(place: Place, downloads: Path, count: int, seed: int) -> list[tuple]:
    """What is still to be said."""
    numbers = range(min(count, len(sentences())))
    return [(place, downloads, n, seed) for n in numbers if not place.phones(name(n)).exists()]


def name(number: int) -> str:
    """Of the utterance in which that sentence is said."""
    return f"chorus-{number:04d}"


def say(place: Place, downloads: Path, number: int, seed: int) -> None:
    """One sentence, as 16-bit FLAC, and its phones."""
    random = np.random.default_rng([seed, number])
    style, speed = drawn(_styles(downloads), random), np.exp(random.uniform(*np.log(_SPEEDS)))
    network, parts = kokoro(DURATIONS), phonemes(sentences()[number])
    said = [kokoro_says(network, style, ids, speed) for ids in parts]
    audio = soxr.resample(np.concatenate([sound for sound, _ in said]), _SPOKEN_HZ, RATE)
    audio *= _PEAK / max(np.abs(audio).max(), 1e-9)
    spans = [np.repeat(ids, lasts.astype(int)) for ids, (_, lasts) in zip(parts, said, strict=True)]
    phones = np.concatenate(spans)
    write_speech(place.speech(name(number)), audio, RATE)
    write_whole(place.phones(name(number)), lambda path: _keep(path, framed(phones, len(audio))))


def _keep(path: Path, phones: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, phones)


def framed(spans: np.ndarray, samples: int) -> np.ndarray:
    """The phone at the centre of each frame of 20 ms.

    Args:
        spans: the phone of each span of 25 ms.
        samples: of the audio at 16 kHz.

    Returns:
        int16 ``[samples // 320 + 1]``.
    """
    centres = np.arange(samples // STEP + 1) * STEP / RATE
    place = np.minimum((centres * _SPOKEN_HZ / _SPAN).astype(int), len(spans) - 1)
    return spans[place].astype(np.int16)


def drawn(styles: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """A voice, or one between two, ``[phonemes, 1, 256]``."""
    first, second = (styles[n] for n in random.choice(len(styles), 2, replace=False))
    share = random.uniform(0.25, 0.75) if random.random() < _MIXED else 0.0
    return (1 - share) * first + share * second


@functools.cache
def _styles(downloads: Path) -> list[np.ndarray]:
    path = styles(downloads)
    with tarfile.open(path) as archive:
        files = [member for member in archive.getnames() if member.endswith(".bin")]
    return [kokoro_style(path, Path(file).stem) for file in sorted(files)]
