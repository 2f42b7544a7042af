"""The small working folder of a voice, with synthetic speech."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from voicegraph.experiments.task import Result
from voicegraph.training.voice.prepared_speech import PreparedSpeech
from voicegraph.training.voice.workdir import Workdir

DIM = 8


def spoken(seconds: float, seed: int) -> np.ndarray:
    """Something like speech at 24 kHz, float32 ``[samples]``: buzz, hiss, pauses."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * 24000)) / 24000
    phase = np.cumsum(140 + 20 * np.sin(2 * np.pi * 0.7 * time)) / 24000
    buzz = sum(np.cos(2 * np.pi * h * phase) / h for h in range(1, 20))
    fades = np.clip(2 * np.sin(2 * np.pi * 1.5 * time), 0, 1)
    hiss = 0.1 * random.standard_normal(len(time)) * (1 - fades)
    return (0.05 * (buzz * fades + hiss)).astype(np.float32)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads cost more than they gain with such small networks."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    """Four utterances of 3 s each."""
    made = Workdir(tmp_path / "voice")
    for number in range(4):
        made.speech(number).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(made.speech(number), spoken(3.0, number), 24000, "PCM_16")
    return made


@pytest.fixture
def speech(workdir: Workdir) -> PreparedSpeech:
    """The same with contours and features."""
    random = np.random.default_rng(1)
    contours, features = ({n: f"{kind}{n:07}" for n in range(4)} for kind in "cf")
    for number in range(4):
        voiced = np.abs(spoken(3.0, number).reshape(-1, 240)).max(1) > 0.03
        f0 = np.append(np.where(voiced, 140.0, 0.0), 0).astype(np.float32)
        level = np.append(np.where(voiced, -25.0, -45.0), -70).astype(np.float32)
        workdir.store.write(contours[number], Result({"f0": f0, "level": level}))
        content = random.standard_normal((6, 151, DIM)).astype(np.float16)
        workdir.store.write(features[number], Result({"content": content}))
    return PreparedSpeech(workdir, contours, features, {})
