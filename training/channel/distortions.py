"""What a line does to speech that a filter cannot: clipping, coarse steps, lossy coding, gaps."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr

from voicegraph.nodes.content.encoder import RATE

_CLIPPED_DB = (-18.0, -2.0)
"""Where the peaks are cut, relative to the highest."""
_TELEPHONE_HZ, _MU = 8000, 255.0
_QUALITY = (0.0, 0.9)
"""Of Vorbis as libsndfile counts it: 1 is the smallest file."""
_GAPS_A_SECOND, _GAP_S = (0.2, 3.0), (0.005, 0.04)


def draw_distortion(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """``[samples]`` at 16 kHz through one random distortion; the same count."""
    return (clipped, telephone, coded, with_gaps)[random.integers(4)](audio, random)


def clipped(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Overdriven: peaks are cut, hard or softly."""
    limit = _peak(audio) * 10 ** (random.uniform(*_CLIPPED_DB) / 20)
    if random.random() < 0.5:
        return np.clip(audio, -limit, limit)
    return limit * np.tanh(audio / limit)


def telephone(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """4 kHz wide, in 8 bits by the mu-law (ITU-T G.711)."""
    peak = _peak(audio) * random.uniform(1.0, 8.0)
    narrow = soxr.resample(audio, RATE, _TELEPHONE_HZ) / peak
    law = np.sign(narrow) * np.log1p(_MU * np.minimum(np.abs(narrow), 1)) / np.log1p(_MU)
    steps = np.round(law * 127) / 127
    back = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(_MU)) / _MU
    return _padded(soxr.resample(peak * back, _TELEPHONE_HZ, RATE), len(audio))[: len(audio)]


def coded(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Through a lossy coder and back."""
    peak = _peak(audio) / 0.9
    file = io.BytesIO()
    soundfile.write(
        file,
        (audio / peak).astype(np.float32),
        RATE,
        format="OGG",
        subtype="VORBIS",
        compression_level=random.uniform(*_QUALITY),
    )
    file.seek(0)
    return _padded(soundfile.read(file)[0] * peak, len(audio))[: len(audio)]


def with_gaps(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """With lost packets: short silences."""
    made = audio.copy()
    for _ in range(1 + random.poisson(random.uniform(*_GAPS_A_SECOND) * len(audio) / RATE)):
        start = int(random.integers(len(audio)))
        made[start : start + int(random.uniform(*_GAP_S) * RATE)] = 0
    return made


def _peak(audio: np.ndarray) -> float:
    return float(np.abs(audio).max()) + 1e-9


def _padded(audio: np.ndarray, count: int) -> np.ndarray:
    return np.pad(audio, (0, max(count - len(audio), 0)))
