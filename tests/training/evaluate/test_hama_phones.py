"""Phone recognition by the weights of hama."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.edit_distance import error_rate
from voicegraph.graph.signals import Audio
from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.training.common import hama
from voicegraph.training.evaluate._hama_phones import phones

TEACHER = Path(__file__).parents[2] / "data" / "reference" / "hama.safetensors"


def test_phones_survive_noise_but_not_reversal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, (_, card) = load_phonetic(TEACHER), open_phonetic(TEACHER)
    monkeypatch.setattr(hama, "network", lambda: network)
    monkeypatch.setattr(hama, "tokens", lambda: card.tokens)
    speech = bundled_recording.speech(Audio(Fraction(16000), 1))[0][: 4 * 16000]
    said = phones(speech).tolist()
    assert 20 < len(said) < 70  # some 12 phones a second
    noise = 0.001 * np.random.default_rng(1).standard_normal(len(speech))
    assert error_rate(said, phones(speech + noise).tolist()) < 0.2
    assert error_rate(said, phones(speech[::-1].copy()).tolist()) > 0.6
    assert len(phones(np.zeros(100))) == 0
