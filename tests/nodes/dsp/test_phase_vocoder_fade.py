"""The phase-vocoder crossfade."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.nodes.dsp._phase_vocoder_fade import PhaseVocoderFade

from ...tolerance import INAUDIBLE, SAMPLES, assert_close

pytestmark = pytest.mark.numeric

SIZE = 480
FADE = torch.sin(0.5 * torch.pi * torch.linspace(0, 1, SIZE)) ** 2


def _faded(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    given = [torch.from_numpy(x.astype(np.float32))[None, None] for x in (before, after)]
    return PhaseVocoderFade(FADE)(given[0], given[1])[0, 0].numpy()


def _by_cosines(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The definition: a cosine for each bin and sample."""
    rise = FADE.double().numpy()
    window = np.sqrt(rise * (1 - rise))
    first, second = np.fft.rfft(before * window), np.fft.rfft(after * window)
    magnitude = np.abs(first) + np.abs(second)
    magnitude[1 : -1 if SIZE % 2 == 0 else None] *= 2
    turn = np.angle(second) - np.angle(first)
    turn -= 2 * np.pi * np.floor(turn / (2 * np.pi) + 0.5)
    time = np.arange(SIZE)[:, None] / SIZE
    angle = (2 * np.pi * np.arange(len(first)) + turn) * time + np.angle(first)
    between = (magnitude * np.cos(angle)).sum(1) / SIZE
    return before * (1 - rise) ** 2 + after * rise**2 + between * window


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_sum_of_cosines(seed: int) -> None:
    before, after = np.random.default_rng(seed).normal(0, 0.1, (2, SIZE))
    assert_close(_faded(before, after), _by_cosines(before, after), INAUDIBLE)


def test_equal_signals_come_out_unchanged() -> None:
    signal = np.random.default_rng(5).normal(0, 0.1, SIZE)
    assert_close(_faded(signal, signal), signal, SAMPLES)


def test_a_tone_in_antiphase_keeps_its_level() -> None:
    """Where a plain crossfade is silent in the middle."""
    tone = np.sin(2 * np.pi * 20 * np.arange(SIZE) / SIZE + 0.3)
    middle = slice(SIZE // 2 - 36, SIZE // 2 + 36)
    rise = FADE.numpy()
    plain = tone * (1 - rise) - tone * rise
    found = _faded(tone, -tone)
    level = np.sqrt(2 * np.mean(found[middle] ** 2))
    assert np.sqrt(2 * np.mean(plain[middle] ** 2)) < 0.15
    assert level > 0.45


def test_silence_is_silent() -> None:
    assert not _faded(np.zeros(SIZE), np.zeros(SIZE)).any()
