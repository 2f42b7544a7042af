"""The step reader: hibari-tts reads sentences, with the exact time of each phone.

It has one voice and is far faster than Kokoro. Its network gives spectra and F0 of each frame of
12.5 ms, so another voice is the same frames with other formants and pitch: that is the copy of the
utterance, without an analysis by a vocoder.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import (
    COPY_FORMANTS,
    COPY_MEDIAN_HZ,
    log_uniform,
    warp_frequency,
)

from ..common.atomic_files import write_array, write_audio
from ..common.third_party_packages import TTS_PACKAGES, import_package
from ..corpora.read_sentences import sentences as voice_sentences
from ..corpora.tts_speakers import also_output, hibari, phonemes
from ._kokoro_corpus import draw_speed, phones_per_frame
from ._kokoro_corpus import sentences as encoder_sentences
from ._workdir import EncoderWorkdir

DURATIONS = "/Clip_output_0"
"""Value inside the network: the duration of each phone in spans of two frames."""
_TTS_RATE, _SPAN = 24000, 600
_PEAK = 0.9
_VOICED_HZ = 40.0
"""Lower F0 means unvoiced, for this network."""


def sentences() -> list[str]:
    """Those of the bundled voices, then those of the encoder."""
    return voice_sentences() + encoder_sentences()


def jobs(workdir: EncoderWorkdir, count: int, seed: int) -> list[tuple]:
    """Arguments of :func:`synthesize` for all files that are missing."""
    numbers = range(min(count, len(sentences())))
    return [(workdir, n, seed) for n in numbers if not workdir.phones(name(n)).exists()]


def name(number: int) -> str:
    """Name of the utterance of a sentence."""
    return f"reader-{number:05d}"


def synthesize(workdir: EncoderWorkdir, number: int, seed: int) -> None:
    """Writes one sentence, a copy in another voice, and its phones."""
    random = np.random.default_rng([seed, number])
    speed = draw_speed(random)
    warp, median = log_uniform(random, *COPY_FORMANTS), log_uniform(random, *COPY_MEDIAN_HZ)
    said, copied, phones = [], [], []
    for ids in phonemes(sentences()[number]):
        *parts, lasts = _network().run(
            None, {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        )
        spectra = [part[0] for part in parts]
        said.append(_sound(spectra, random))
        copied.append(_sound(in_another_voice(spectra, warp, median, random), random))
        phones.append(np.repeat(ids, lasts.reshape(-1).astype(int)))
    spans, audio = np.concatenate(phones), _resampled(said)
    if len(spans) * _SPAN != sum(map(len, said)):
        raise ValueError(f"{len(spans)} spans of phones are not the {sum(map(len, said))} samples")
    write_audio(workdir.speech(name(number)), audio, RATE)
    write_audio(workdir.augmented_copy(name(number), 0), _resampled(copied), RATE)
    frames = phones_per_frame(spans, len(audio), _SPAN / _TTS_RATE)
    write_array(workdir.phones(name(number)), frames)


def in_another_voice(
    spectra: list[np.ndarray], warp: float, median_hz: float, random: np.random.Generator
) -> list[np.ndarray]:
    """The frames of an utterance with other formants and pitch.

    Args:
        spectra: five arrays ``[bins, frames]`` (log magnitudes and phases of the network's three
            branches: harmonic, noise without a phase, and free), then F0 in Hz ``[frames]``.
        warp: factor on the formant frequencies.
        median_hz: median F0 of the result.
        random: draws the phases of the free branch, which cannot be moved to another frequency.
    """
    *bins, f0 = spectra
    voiced = f0 > _VOICED_HZ
    scale = median_hz / float(np.median(f0[voiced])) if voiced.any() else 1.0
    # Below the network's limit, voiced frames would become unvoiced.
    other = np.where(voiced, np.maximum(f0 * scale, 1.05 * _VOICED_HZ), f0)
    warped = [warp_frequency(part.T, warp).T.astype(np.float32) for part in bins]
    warped[-1] = random.uniform(0, 2 * np.pi, warped[-1].shape).astype(np.float32)
    return [*warped, other.astype(np.float32)]


def _sound(spectra: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    synthesis = import_package("hibari.dsp", TTS_PACKAGES)
    return synthesis.synth(*(np.array(part) for part in spectra), random)


def _resampled(parts: list[np.ndarray]) -> np.ndarray:
    audio = soxr.resample(np.concatenate(parts), _TTS_RATE, RATE)
    return audio * (_PEAK / max(float(np.abs(audio).max()), 1e-9))


@functools.cache
def _network() -> Any:
    """hibari-tts with the durations as its last output."""
    runtime = import_package("onnxruntime", TTS_PACKAGES)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    whole = Path(hibari().model_path).read_bytes() + also_output(DURATIONS)
    return runtime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
