"""Speech metrics by third-party packages, as far as they are installed."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.signals import Audio

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
REASON = "training/evaluate/packages.txt is not installed"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return bundled_recording.speech(Audio(Fraction(16000), 1))[0][: 5 * 16000].astype(np.float64)


def test_every_package_has_a_checksum() -> None:
    text = (ROOT / "training" / "evaluate" / "packages.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = [line.partition("==")[0] for line in lines if "==" in line]
    assert len(names) == len(set(names)) > 10
    assert not {"torch", "numpy", "scipy", "setuptools"} & set(names)
    for before, line in itertools.pairwise(lines):
        assert ("==" in before) <= ("--hash=sha256:" in line)


def test_pocketsphinx_is_deterministic(speech: np.ndarray) -> None:
    pytest.importorskip("pocketsphinx", reason=REASON)
    from voicegraph.training.evaluate._pocketsphinx_phones import allphones

    said = allphones(speech)
    assert 20 < len(said) < 90
    assert "SIL" not in said
    assert allphones(speech) == said


@pytest.mark.slow
def test_speaker_similarity_tells_speakers_apart(speech: np.ndarray) -> None:
    pytest.importorskip("resemblyzer", reason=REASON)
    from voicegraph.training.evaluate._speaker_similarity import speaker_embedding

    first, second = speaker_embedding(speech[:40000]), speaker_embedding(speech[40000:])
    high = speaker_embedding(np.interp(np.arange(0, 40000, 1.5), np.arange(40000), speech[:40000]))
    assert first @ first == pytest.approx(1, abs=1e-5)
    assert first @ second > first @ high + 0.1
    assert np.isnan(speaker_embedding(np.zeros(16000))).all()


@pytest.mark.slow
def test_dnsmos_falls_with_noise(speech: np.ndarray) -> None:
    pytest.importorskip("speechmos", reason=REASON)
    from voicegraph.training.evaluate._dnsmos import dnsmos_scores

    noise = 0.02 * np.random.default_rng(1).standard_normal(len(speech))
    clean, noisy = dnsmos_scores(speech), dnsmos_scores(speech + noise)
    assert 2.8 < clean[0] < 3.6
    assert noisy[0] < clean[0] - 0.4
    assert noisy[1] < clean[1] - 0.3
