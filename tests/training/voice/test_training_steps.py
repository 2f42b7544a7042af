"""The steps together."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import training_steps


def test_held_out_are_evenly_spread() -> None:
    learned, held_out = training_steps.divided(list(range(620)))
    assert len(held_out) == 30
    assert sorted(learned + held_out) == list(range(620))
    assert np.ptp(np.diff(held_out)) == 0


def test_of_few_utterances_a_tenth_is_held_out() -> None:
    for count in (8, 12, 60, 299):
        learned, held_out = training_steps.divided(list(range(count)))
        assert len(held_out) == max(count // 10, 1)
        assert sorted(learned + held_out) == list(range(count))
