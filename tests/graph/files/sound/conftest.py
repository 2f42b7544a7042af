"""Sound files of all kinds, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph import random


def _noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    rows = [random.normal(seed, "test", c, 0, frames) for c in range(channels)]
    return (0.1 * np.stack(rows)).astype(np.float32)


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """``noise(frames, channels=1, seed=0)``: ``[channels, frames]`` float32, about -20 dB."""
    return _noise


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Path]:
    """Writes noise: ``sound(name, frames=4800, rate=48000, channels=1, subtype="FLOAT")``."""

    def make(
        name: str,
        frames: int = 4800,
        rate: int = 48000,
        channels: int = 1,
        subtype: str | None = None,
    ) -> Path:
        path = tmp_path / name
        soundfile.write(path, _noise(frames, channels).T, rate, subtype)
        return path

    return make
