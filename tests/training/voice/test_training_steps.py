"""Held-out utterances."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import training_steps


def test_held_out_utterances_are_evenly_spread() -> None:
    learned, held_out = training_steps.split_held_out(list(range(620)))
    assert len(held_out) == 30
    assert sorted(learned + held_out) == list(range(620))
    assert np.ptp(np.diff(held_out)) == 0


def test_small_sets_hold_out_a_tenth() -> None:
    for count in (8, 12, 60, 299):
        learned, held_out = training_steps.split_held_out(list(range(count)))
        assert len(held_out) == max(count // 10, 1)
        assert sorted(learned + held_out) == list(range(count))
