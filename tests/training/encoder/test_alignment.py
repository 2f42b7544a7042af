"""When each phone of a transcript is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.training.encoder import _alignment as alignment
from voicegraph.training.encoder._forced_alignment import align
from voicegraph.training.encoder._workdir import EncoderWorkdir


def _scores(symbols: list[int], count: int = 5) -> np.ndarray:
    """Log probabilities by which each frame is surely one symbol."""
    made = np.full((len(symbols), count), np.log(0.01))
    made[np.arange(len(symbols)), symbols] = np.log(0.96)
    return made


def test_path_follows_the_frames() -> None:
    symbols, optional = np.array([0, 1, 0, 2, 0]), np.array([True, False, True, False, True])
    found = align(_scores([0, 1, 1, 2, 2, 0]), symbols, optional)
    assert symbols[found].tolist() == [0, 1, 1, 2, 2, 0]
    assert found.tolist() == [0, 1, 1, 3, 3, 4]


def test_repeated_phones_are_told_apart() -> None:
    found = align(_scores([1, 1, 1, 2]), np.array([1, 1, 2]), np.zeros(3, bool))
    assert found[0] == 0
    assert found[-1] == 2
    assert 1 in found


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_every_phone_is_said_in_order(seed: int, phones: int) -> None:
    random = np.random.default_rng(seed)
    symbols = np.concatenate([[0], *([number, 0] for number in random.integers(1, 5, phones))])
    found = align(random.standard_normal((phones + 9, 5)), symbols, symbols == 0)
    assert (np.diff(found) >= 0).all()
    assert set(np.flatnonzero(symbols)) <= set(found.tolist())


def test_long_sequences_are_aligned() -> None:
    symbols = np.tile([1, 2, 3], 70)
    found = align(_scores(np.repeat(symbols, 2).tolist()), symbols, np.zeros(210, bool))
    assert found.tolist() == np.repeat(np.arange(210), 2).tolist()


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="1 frames are too few for 2"):
        align(np.zeros((1, 3)), np.array([1, 2]), np.zeros(2, bool))


def test_words_may_have_silence_between_them() -> None:
    numbers = np.array([0, 50, 156, 43, 16, 46, 4, 16, 58, 0])
    assert alignment.states(numbers).tolist() == [0, 50, 43, 0, 46, 0, 58, 0]


def test_wrong_transcript_gives_no_phones() -> None:
    prior = np.zeros(60, np.float32)
    scores = _scores([0, 50, 50, 43, 43, 43, 0], 60)
    right = alignment.aligned(scores, prior, np.array([0, 50, 43, 0]))
    assert right.tolist() == [0, 50, 50, 43, 43, 43, 0]
    wrong = alignment.aligned(scores, prior, np.array([0, 51, 44, 0]))
    assert set(wrong.tolist()) == {16}


def test_classifier_learns_phones_of_synthetic_speech(
    workdir: EncoderWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alignment, "_STEPS", 100)
    random = np.random.default_rng(1)
    for name in ("chorus-00000", "reader-00000"):
        phones = random.choice([0, 44, 50, 16], 400).astype(np.int16)
        found = random.standard_normal((400, 8)) * 0.3
        found[np.arange(400), phones % 7] += 2
        workdir.phones(name).parent.mkdir(exist_ok=True)
        np.save(workdir.phones(name), phones)
        np.save(workdir.targets(name), found.astype(np.float16))
    alignment.fit_classifier(workdir)
    with np.load(workdir.classifier) as held:
        weight, bias = held["weight"], held["bias"]
    known = phones != 16
    best = (found @ weight.T + bias).argmax(1)
    assert (best == phones)[known].mean() > 0.95
