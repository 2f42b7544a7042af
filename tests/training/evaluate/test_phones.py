"""Phones of the shipped encoder: the rule, and on speech."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.graph.drivers import clip
from voicegraph.graph.signals import Audio
from voicegraph.training.evaluate.distance import error_rate
from voicegraph.training.evaluate.phones import collapsed, phones


def test_runs_and_blanks_are_taken_out() -> None:
    assert collapsed(np.array([9, 9, 1, 1, 9, 1, 2, 2, 9]), 9).tolist() == [1, 1, 2]
    assert collapsed(np.array([9, 9]), 9).tolist() == []


def test_speech_is_heard_alike_in_noise_and_otherwise_backwards() -> None:
    speech = clip.speech(Audio(Fraction(16000), 1))[0][: 4 * 16000]
    said = phones(speech).tolist()
    assert 20 < len(said) < 70  # some 12 phones a second
    noise = 0.001 * np.random.default_rng(1).standard_normal(len(speech))
    assert error_rate(said, phones(speech + noise).tolist()) < 0.2
    assert error_rate(said, phones(speech[::-1].copy()).tolist()) > 0.6
    assert len(phones(np.zeros(100))) == 0
