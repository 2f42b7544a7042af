"""Everything that is heard in one piece of audio. What it means is worked out later, from two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicegraph.training.voice.augmentation import LISTENING
from voicegraph.training.voice.contours import pitch
from voicegraph.training.voice.workdir import write_whole

from ._dnsmos import opinion
from ._levels import levels
from ._pocketsphinx_phones import allphones
from ._speaker_similarity import embedding
from .phones import phones

VERSION = 1
"""Raised when anything here is measured otherwise: what was observed before counts no more."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One piece of audio.

    Attributes:
        phones: by the shipped encoder, ``[phones]``.
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
    """Measures a sound file and keeps it as ``.npz``."""
    audio = listened(sound)
    found = {
        "phones": phones(audio),
        "allphones": np.array(allphones(audio), "U8"),
        "embedding": embedding(audio),
        "f0": pitch(audio).astype(np.float32),
        "level": levels(audio).astype(np.float32),
        "mos": np.array(opinion(audio)),
    }

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **found)

    write_whole(target, write)


def read(path: Path) -> Observation:
    """What :func:`observe` kept."""
    with np.load(path) as held:
        return Observation(**{name: held[name] for name in Observation.__slots__})


def listened(sound: Path) -> np.ndarray:
    """A mono file as ``[samples]`` float64 at 16 kHz."""
    audio, rate = soundfile.read(sound)
    return soxr.resample(audio, rate, LISTENING) if rate != LISTENING else audio
