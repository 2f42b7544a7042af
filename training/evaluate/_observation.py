"""Everything measured on one file. The metrics compare two such observations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicegraph.experiments.observers.contours import level_contour, swift_contour
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from ..common.atomic_files import write_arrays
from ._dnsmos import dnsmos_scores
from ._hama_phones import phones
from ._pocketsphinx_phones import allphones
from ._speaker_similarity import speaker_embedding

VERSION = 1
"""Raised when a measurement here changes, so that stored observations are not used any more."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One piece of audio.

    Attributes:
        phones: by hama, ``[phones]``.
        allphones: by PocketSphinx, ``[phones]``.
        embedding: of the speaker, ``[256]``, of length 1.
        f0: Hz every 10 ms, 0 where unvoiced, ``[frames]``.
        level: dB of full scale every 10 ms, ``[frames]``.
        mos: DNSMOS overall and P.808, ``[2]``.
    """

    phones: np.ndarray
    allphones: np.ndarray
    embedding: np.ndarray
    f0: np.ndarray
    level: np.ndarray
    mos: np.ndarray


def observe(sound: Path, target: Path) -> None:
    """Measures a file, and stores the result as ``.npz``."""
    audio = load_audio(sound)
    found = {
        "phones": phones(audio),
        "allphones": np.array(allphones(audio), "U8"),
        "embedding": speaker_embedding(audio),
        "f0": swift_contour(audio).astype(np.float32),
        "level": level_contour(audio).astype(np.float32),
        "mos": np.array(dnsmos_scores(audio)),
    }
    write_arrays(target, **found)


def read(path: Path) -> Observation:
    """What :func:`observe` stored."""
    with np.load(path) as held:
        return Observation(**{name: held[name] for name in Observation.__slots__})


def load_audio(sound: Path) -> np.ndarray:
    """A mono file as ``[samples]`` float64 at 16 kHz."""
    audio, rate = soundfile.read(sound)
    return soxr.resample(audio, rate, ENCODER_RATE) if rate != ENCODER_RATE else audio
