"""The directions of Whisper's features that are learned: their principal components.

Whisper's features have a few dimensions that are far larger than the others, so each is divided by
its standard deviation first. The components keep their variance: an error in a direction counts as
much as the direction varies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soundfile

from ..common.atomic_files import write_arrays
from ._whisper_teacher import LONGEST, features
from ._workdir import EncoderWorkdir

LAYER: int | None = None
"""Whisper's layer; None is the output of the encoder."""
WIDTH = 192
"""Directions that are learned, of 384."""
_UTTERANCES = 200
"""Utterances that decide the directions."""


@dataclass(frozen=True, slots=True)
class Basis:
    """An affine map of features.

    Attributes:
        mean: of the features, float32 ``[width]``.
        directions: float32 ``[width, directions]``.
    """

    mean: np.ndarray
    directions: np.ndarray

    def reduce(self, found: np.ndarray) -> np.ndarray:
        """``[frames, width]`` -> ``[frames, directions]``."""
        return (found - self.mean) @ self.directions


def jobs(workdir: EncoderWorkdir) -> list[tuple]:
    """Arguments of :func:`make`, if there is no basis yet."""
    return [] if workdir.basis.exists() else [(workdir,)]


def make(workdir: EncoderWorkdir) -> None:
    """Fits the basis to the first utterances, which are recorded speech, and writes it."""
    found = []
    for name in workdir.names()[:_UTTERANCES]:
        audio, _ = soundfile.read(workdir.speech(name), dtype="float32")
        found.append(features(audio[:LONGEST], LAYER).numpy()[::2])
    made = fit(np.concatenate(found), WIDTH)
    write_arrays(workdir.basis, mean=made.mean, directions=made.directions)


def load(workdir: EncoderWorkdir) -> Basis:
    """The basis that was written."""
    with np.load(workdir.basis) as held:
        return Basis(held["mean"], held["directions"])


def fit(found: np.ndarray, width: int) -> Basis:
    """The principal components of standardized features ``[frames, features]``."""
    mean, std = found.mean(0), found.std(0)
    scaled = (found - mean) / std
    _, vectors = np.linalg.eigh(scaled.T.astype(np.float64) @ scaled / len(scaled))
    largest = vectors[:, ::-1][:, :width]  # eigh gives the smallest first
    return Basis(mean.astype(np.float32), (largest / std[:, None]).astype(np.float32))
