"""The step chorus: Kokoro-82M reads sentences in many voices, with the exact time of each phone.

Kokoro has 54 voices, each a style vector for every length of sentence; a mixture of two styles is
another voice. The network's phone durations are taken as a second output.
"""

from __future__ import annotations

import functools
import tarfile
from pathlib import Path

import numpy as np
import soxr

from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import STEP

from ..common.atomic_files import write_array, write_audio
from ..corpora.tts_speakers import kokoro, kokoro_archive, kokoro_style, kokoro_synthesize, phonemes
from ._workdir import EncoderWorkdir

SENTENCES = Path(__file__).with_name("sentences.txt")
DURATIONS = "/encoder/Clip_output_0"
"""Value inside Kokoro: the duration of each phone in spans of 25 ms."""
_TTS_RATE, _SPAN_S = 24000, 0.025
_MIXED = 0.5
"""Share of the sentences that are read by a mixture of two voices."""
_SPEEDS = (0.85, 1.3)
_PEAK = 0.9


def sentences() -> list[str]:
    """11,152 sentences; the bundled voices read none of them."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def jobs(workdir: EncoderWorkdir, downloads: Path, count: int, seed: int) -> list[tuple]:
    """Arguments of :func:`synthesize` for all files that are missing."""
    numbers = range(min(count, len(sentences())))
    return [(workdir, downloads, n, seed) for n in numbers if not workdir.phones(name(n)).exists()]


def name(number: int) -> str:
    """Name of the utterance of a sentence."""
    return f"chorus-{number:05d}"


def synthesize(workdir: EncoderWorkdir, downloads: Path, number: int, seed: int) -> None:
    """Writes one sentence as 16-bit FLAC, and its phones."""
    random = np.random.default_rng([seed, number])
    style, speed = draw_style(_styles(downloads), random), draw_speed(random)
    network, parts = kokoro(DURATIONS), phonemes(sentences()[number])
    outputs = [kokoro_synthesize(network, style, ids, speed) for ids in parts]
    audio = soxr.resample(np.concatenate([sound for sound, _ in outputs]), _TTS_RATE, RATE)
    audio *= _PEAK / max(np.abs(audio).max(), 1e-9)
    spans = [
        np.repeat(ids, lasts.astype(int)) for ids, (_, lasts) in zip(parts, outputs, strict=True)
    ]
    phones = np.concatenate(spans)
    write_audio(workdir.speech(name(number)), audio, RATE)
    write_array(workdir.phones(name(number)), phones_per_frame(phones, len(audio), _SPAN_S))


def draw_speed(random: np.random.Generator) -> float:
    """Speed of a reading relative to the usual one of a voice."""
    return float(np.exp(random.uniform(*np.log(_SPEEDS))))


def phones_per_frame(spans: np.ndarray, samples: int, span_s: float) -> np.ndarray:
    """The phone at the centre of each frame of 20 ms.

    Args:
        spans: the phone of each span of time.
        samples: of the audio at 16 kHz.
        span_s: length of a span in seconds.

    Returns:
        int16 ``[samples // 320 + 1]``.
    """
    centres = np.arange(samples // STEP + 1) * STEP / RATE
    index = np.minimum((centres / span_s).astype(int), len(spans) - 1)
    return spans[index].astype(np.int16)


def draw_style(styles: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """The style of one voice or of a mixture of two, ``[phonemes, 1, 256]``."""
    first, second = (styles[n] for n in random.choice(len(styles), 2, replace=False))
    share = random.uniform(0.25, 0.75) if random.random() < _MIXED else 0.0
    return (1 - share) * first + share * second


@functools.cache
def _styles(downloads: Path) -> list[np.ndarray]:
    path = kokoro_archive(downloads)
    with tarfile.open(path) as archive:
        files = [member for member in archive.getnames() if member.endswith(".bin")]
    return [kokoro_style(path, Path(file).stem) for file in sorted(files)]
